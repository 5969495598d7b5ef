// The body of a program's data thread: one epoll loop over the shared port, the queue from the control thread
// and whatever descriptors the program adds. It keeps the established sessions; what a message or a packet
// means beyond that is the deriving program's. What is posted is done before any datagram of the same turn.
// Constructing it throws std::system_error when the kernel does not let it watch these two.
//
// Down and Up are the program's variants of messages and contain those of messages.hpp, Down also Stop.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "tunnelmgr/base/busy_pause.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/datapath/mailbox.hpp"
#include "tunnelmgr/datapath/port_reader.hpp"
#include "tunnelmgr/datapath/relay_port.hpp"
#include "tunnelmgr/datapath/segment_sender.hpp"
#include "tunnelmgr/datapath/source_budget.hpp"
#include "tunnelmgr/linux/epoll.hpp"

namespace hearthcast::datapath {

template <class DownMessage, class UpMessage>
class SessionLoop : protected PortSink {
 public:
  using Down = DownMessage;
  using Up = UpMessage;

  SessionLoop(const SessionLoop&) = delete;
  SessionLoop& operator=(const SessionLoop&) = delete;

  [[nodiscard]] Mailbox<Down, Up>& mailbox() { return mailbox_; }

  // Any thread: it has turned within the last ten seconds, as it does at least once a second; or not begun.
  [[nodiscard]] bool alive(Time now) const {
    const auto at = turned_at_.load(std::memory_order_relaxed);
    return at == 0 || now - Time(Duration(at)) < std::chrono::seconds{10};
  }

  void run();  // data thread: until Stop; then says goodbye to every peer

 protected:
  static constexpr std::uint64_t kFirstToken = std::uint64_t{1} << 32;  // of the program's descriptors
  static constexpr int kReadsPerTurn = 4;  // of one socket, so that the others get their turn

  // socket and log outlive it. longest_pause: while datagrams gather under load; zero: they never do.
  SessionLoop(linux::UdpSocket& socket, Log& log, Duration tick, Duration longest_pause = {})
      : log_(log),
        sender_(socket, route_),
        socket_(socket),
        tick_(tick),
        busy_(longest_pause),
        reader_(socket, sessions_, counters_, route_) {
    if (!epoll_.add(mailbox_.down_fd(), kQueueToken) || !epoll_.add(socket.fd(), kPortToken)) {
      throw std::system_error(errno, std::generic_category(), "watching the tunnel's port");
    }
  }

  // The program's part. take() is std::visit over perform(); messages of sessions come back to this class.
  virtual void take(Down message) = 0;
  virtual void on_event(const linux::Epoll::Event& event) = 0;  // of a descriptor the program added to epoll_
  virtual void after_events() {}                                // once a turn
  [[nodiscard]] virtual Time next_deadline() const { return kNever; }  // a turn is wanted then, too
  [[nodiscard]] virtual std::uint64_t arrived() const { return counters_.datagrams; }  // since the beginning
  virtual void on_session_added() {}
  virtual void on_session_gone() {}  // a peer's memory is freed after this
  virtual void on_tick() = 0;
  virtual void on_report() = 0;                              // about once a second
  [[nodiscard]] virtual bool idle() const { return false; }  // nothing needs the tick but the report

  void perform(Stop) { running_ = false; }
  void perform(AddSession message) {
    sessions_.add(std::move(message));
    on_session_added();
  }
  void perform(MoveSession message) { sessions_.move(message); }
  void perform(const HearSession& message) { sessions_.hear(message); }
  void perform(RemoveSession message);
  void perform(const SendInner& message);
  void perform(const SetRelay& message) { relay_port_.set(message); }
  void perform(OpenRelayStream message) { relay_port_.open(std::move(message)); }
  void perform(const SendToRelay& message) { route_.send_on_stream(message.message); }
  void perform(const PassToSession& message) { reader_.pass_to_session(message, now_); }

  void on_stun(const Endpoint& from, Bytes datagram) override {
    if (!may_ask(from)) {
      return;
    }
    say(StunReceived{from, Buffer(datagram.begin(), datagram.end())});
  }
  void on_handshake(const Endpoint& from, PeerId peer, Bytes datagram) override {
    if (!may_ask(from)) {
      return;
    }
    say(HandshakeReceived{from, peer, Buffer(datagram.begin(), datagram.end())});
  }
  void on_closed(PeerId peer, std::string reason) override {
    on_session_gone();
    mailbox_.say_surely(SessionClosed{peer, std::move(reason)});
  }

  // What anybody can send must not crowd out what sessions have to say, nor take all of the control thread's
  // time. Nothing has authenticated it yet, so a known sender may be forged: it has no share of the queue
  // that strangers lack.
  bool may_ask(const Endpoint& from) {
    if (mailbox_.crowded()) {
      ++counters_.crowded;
      return false;
    }
    if (sessions_.find(from) != nullptr || route_.is_relay(from) || strangers_.take(from.address, now_)) {
      return true;
    }
    ++counters_.over_budget;
    return false;
  }

  void say(Up message) { counters_.queue_full += !mailbox_.say(std::move(message)); }

  Log& log_;
  Mailbox<Down, Up> mailbox_;
  linux::Epoll epoll_;
  linux::ReceiveBatch batch_;
  SessionTable sessions_;
  PortCounters counters_;
  RelayRoute route_;
  SegmentSender sender_;
  Time now_{};

 private:
  static constexpr std::uint64_t kQueueToken = 0;
  static constexpr std::uint64_t kPortToken = 1;
  static constexpr std::uint64_t kRelayToken = 2;
  static constexpr auto kReport = std::chrono::seconds{1};

  void consume() {
    mailbox_.consume_down([this](Down message) { take(std::move(message)); });
  }
  void handle(const linux::Epoll::Event& event);
  void tick();
  void say_goodbye(Peer& peer);

  linux::UdpSocket& socket_;
  Duration tick_;
  BusyPause busy_;
  PortReader reader_;
  SourceBudget strangers_;
  RelayPort relay_port_{epoll_, route_, kRelayToken};
  Time next_tick_{};
  Time next_report_{};
  bool running_ = true;
  std::atomic<Time::rep> turned_at_{0};  // read by the control thread
};

template <class Down, class Up>
void SessionLoop<Down, Up>::run() {
  now_ = Clock::now();
  next_tick_ = now_ + tick_;
  next_report_ = now_ + kReport;
  consume();  // what was posted before the thread ran has not signalled
  while (running_) {
    if (auto changed = relay_port_.tend()) {
      mailbox_.say_surely(std::move(*changed));
    }
    if (const Duration pause = busy_.pause(); pause > Duration{} && !batch_.full()) {
      std::this_thread::sleep_for(pause);
    }
    const auto events = epoll_.wait(std::min(idle() ? next_report_ : next_tick_, next_deadline()));
    now_ = Clock::now();
    turned_at_.store(now_.time_since_epoch().count(), std::memory_order_relaxed);
    if (mailbox_.has_down()) {
      consume();
    }
    for (const auto& event : events) {
      handle(event);
    }
    after_events();
    busy_.on_turn(arrived(), now_);
    if (now_ >= next_tick_) {
      tick();
    }
  }
  for (const auto& [id, peer] : sessions_.peers()) {
    say_goodbye(*peer);
  }
}

template <class Down, class Up>
void SessionLoop<Down, Up>::handle(const linux::Epoll::Event& event) {
  if (event.token == kQueueToken) {
    consume();
  } else if (event.token == kPortToken) {
    // What is posted goes first: it may be the session that the next datagram belongs to.
    for (int n = 0; n < kReadsPerTurn && !mailbox_.has_down() && reader_.read(batch_, *this, now_); ++n) {
    }
  } else if (event.token == kRelayToken) {
    relay_port_.on_event(event, reader_, *this, now_);
  } else {
    on_event(event);
  }
}

template <class Down, class Up>
void SessionLoop<Down, Up>::tick() {
  next_tick_ = now_ + tick_;
  mailbox_.retry();
  on_tick();
  if (now_ >= next_report_) {
    next_report_ = now_ + kReport;
    on_report();
  }
}

template <class Down, class Up>
void SessionLoop<Down, Up>::perform(RemoveSession message) {
  const auto peer = sessions_.remove(message.peer);
  if (!peer) {
    return;
  }
  on_session_gone();
  if (message.close) {
    say_goodbye(*peer);
  }
}

template <class Down, class Up>
void SessionLoop<Down, Up>::perform(const SendInner& message) {
  auto* peer = sessions_.find(message.peer);
  if (peer == nullptr || message.gre.size() > kMaxInnerSize) {
    ++counters_.send_dropped;
    return;
  }
  const Bytes packet = message.gre;
  counters_.send_dropped += sender_.send(*peer, std::span(&packet, 1)).drops;
}

template <class Down, class Up>
void SessionLoop<Down, Up>::say_goodbye(Peer& peer) {
  std::array<std::uint8_t, 128> record;
  const auto size = peer.session->close(record);
  route_.send(socket_, peer.endpoint, Bytes(record).first(size));
}

}  // namespace hearthcast::datapath
