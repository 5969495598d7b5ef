// The body of the away client's data thread: opens what the tunnel brings, keeps it per channel and writes it
// to the players. What is posted is done before any datagram of the same turn.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <unordered_map>

#include "tunnelmgr/away/messages.hpp"
#include "tunnelmgr/away/stream.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/datapath/mailbox.hpp"
#include "tunnelmgr/datapath/port_reader.hpp"
#include "tunnelmgr/datapath/segment_sender.hpp"
#include "tunnelmgr/linux/epoll.hpp"

namespace hearthcast::away {

class Loop final : private datapath::PortSink {
 public:
  Loop(linux::UdpSocket& socket, Log& log);

  [[nodiscard]] datapath::Mailbox<Down, Up>& mailbox() { return mailbox_; }

  // Any thread: it has turned within the last ten seconds, as it does at least once a second; or not begun.
  [[nodiscard]] bool alive(Time now) const;

  void run();  // data thread: until Stop; then says goodbye to the box

 private:
  void perform(Stop);
  void perform(datapath::AddSession message);
  void perform(datapath::MoveSession message);
  void perform(datapath::RemoveSession message);
  void perform(const datapath::SendInner& message);
  void perform(const datapath::PassToSession& message);
  void perform(OpenStream message);
  void perform(CloseStream message);
  void perform(AddPlayer message);

  void on_stun(const Endpoint& from, Bytes datagram) override;
  void on_handshake(const Endpoint& from, PeerId peer, Bytes datagram) override;
  void on_inner(datapath::Peer& peer, const Endpoint& from, Bytes gre) override;
  void on_closed(PeerId peer, std::string reason) override;

  void on_media(const tunnel::InnerPacket& inner);
  Stream* stream_of(const tunnel::MediaFrame& media);
  void write_players(Stream& stream, bool only_ready);
  void on_player(std::uint64_t token, bool readable, bool writable);
  void end_player(Stream& stream, std::list<Player>::iterator player, PlayerEnd end);
  void watch(const Player& player);
  void say_goodbye(datapath::Peer& peer);
  void tick();
  void report();

  linux::UdpSocket& socket_;
  Log& log_;
  datapath::Mailbox<Down, Up> mailbox_;
  linux::Epoll epoll_;
  linux::ReceiveBatch batch_;
  datapath::SessionTable sessions_;
  datapath::PortCounters counters_;
  datapath::PortReader reader_;
  datapath::SegmentSender sender_;
  std::map<ChannelId, Stream> streams_;
  std::unordered_map<PlayerId, Stream*> player_streams_;
  // Which stream a flow's number stands for: found by the inner headers once per session. Null: nobody's.
  std::unordered_map<std::uint32_t, Stream*> flow_streams_;
  std::uint64_t unwanted_ = 0;
  Time now_{};
  Time next_tick_{};
  Time next_report_{};
  bool running_ = true;
  std::atomic<Time::rep> turned_at_{0};  // read by the control thread
};

}  // namespace hearthcast::away
