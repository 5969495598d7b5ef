// The body of the away client's data thread: what SessionLoop does, and the streams: media in, to the
// players' sockets out.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "tunnelmgr/away/former_flows.hpp"
#include "tunnelmgr/away/messages.hpp"
#include "tunnelmgr/away/stream.hpp"
#include "tunnelmgr/away/tun_output.hpp"
#include "tunnelmgr/datapath/session_loop.hpp"
#include "tunnelmgr/tunnel/compact_receiver.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/tunnel/unnumbered_receiver.hpp"

namespace hearthcast::away {

class Loop final : public datapath::SessionLoop<Down, Up> {
 public:
  Loop(linux::UdpSocket& socket, Log& log);

 private:
  using SessionLoop::perform;
  void perform(OpenStream message);
  void perform(CloseStream message);
  void perform(AddPlayer message);
  void perform(const SetRepair& message);
  void perform(const SetRoundTrip& message);
  void perform(const ExpectForm& message) { unnumbered_.expect(message.encapsulation); }
  void perform(OpenTun message) { tun_.open(std::move(message)); }
  void perform(TunListens message) { tun_.listen(std::move(message)); }

  void take(Down message) override;
  void on_event(const linux::Epoll::Event& event) override;
  void after_events() override;
  void on_inner(datapath::Peer& peer, const Endpoint& from, Bytes gre) override;
  void on_session_added() override;
  void on_tick() override;
  void on_report() override;
  [[nodiscard]] bool idle() const override { return streams_.empty() && tun_.idle(); }

  [[nodiscard]] Time next_deadline() const override;

  void on_media(const tunnel::InnerPacket& inner, const datapath::Peer& peer);
  void on_compact(const tunnel::InnerPacket& inner, const datapath::Peer& peer);
  void on_unnumbered(Bytes record, const datapath::Peer& peer);
  // Flows and their numbers mean something else from now on: those of GRE, or those that are given here.
  void begin_numbers(bool of_the_box);
  void play(tunnel::MediaFrame media, tunnel::MediaForm form, const datapath::Peer& peer);
  void on_prelude(Bytes payload);
  void meet_prelude(const tunnel::MediaFrame& media, Stream& stream);
  void forget_prelude(const tunnel::MediaFrame& media);
  void ask_again(Stream& stream);
  Stream* stream_of(const tunnel::MediaFrame& media);

  std::map<ChannelId, Stream> streams_;
  std::unordered_map<PlayerId, Stream*> player_streams_;
  // Which stream a flow's number stands for: found by the inner headers once per session. Null: nobody's.
  std::unordered_map<std::uint32_t, Stream*> flow_streams_;
  FormerFlows former_;
  tunnel::CompactReceiver compact_;
  tunnel::UnnumberedReceiver unnumbered_;
  bool numbers_of_the_box_ = true;
  MediaCounters media_;
  // Preludes of flows of which no media came yet: by whose headers the stream is found.
  std::vector<tunnel::Prelude> preludes_;
  bool repair_ = false;  // the box of the present session answers NACKs
  std::optional<Duration> round_trip_;
  std::uint64_t unwanted_ = 0;
  TunOutput tun_;
  const TunOutput::Signal tun_signal_ = [this](const membership::Subscription& subscription, bool present) {
    mailbox_.say_surely(TunSignal{subscription, present});
  };
};

}  // namespace hearthcast::away
