// A connection to a TURN relay over TCP or TLS (RFC 8656 section 3.1): for networks that let no UDP out. The
// data thread's, which alone moves media. Whole messages go in and come out; what does not fit the queue is
// lost, as on a full link, never a part of one.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tunnelmgr/linux/epoll.hpp"
#include "tunnelmgr/linux/tcp_stream.hpp"
#include "tunnelmgr/secure/tls_stream.hpp"
#include "tunnelmgr/wire/turn_stream.hpp"

namespace hearthcast::datapath {

class RelayStream {
 public:
  enum class State { kConnecting, kOpen, kEnded };
  using Take = std::function<void(Bytes message)>;  // valid during the call

  static constexpr std::size_t kMaxQueue = std::size_t{256} << 10;  // octets that the kernel did not take yet

  // tls: handshake not begun with anybody; none: plain TCP.
  RelayStream(linux::TcpStream socket, std::optional<secure::TlsStream> tls);

  [[nodiscard]] int fd() const { return socket_.fd(); }
  // At the descriptor.
  void on_event(const linux::Epoll::Event& event, const Take& take);
  // False: it is lost. What is queued leaves with the next flush().
  bool queue(Bytes message);
  void flush();
  [[nodiscard]] bool wants_write() const { return state_ != State::kEnded && (!connected_ || !out_.empty()); }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }  // why it ended, for people

 private:
  void read(const Take& take);
  void take_in(Bytes octets, const Take& take);
  void hand_out(const Take& take);
  void settle();
  void end(std::string reason);

  linux::TcpStream socket_;
  std::optional<secure::TlsStream> tls_;
  wire::TurnStreamReader reader_;
  State state_ = State::kConnecting;
  bool connected_ = false;
  std::string reason_;
  Buffer framed_;  // a message on its way into TLS
  Buffer out_;
  std::size_t sent_ = 0;  // of out_
  Buffer room_;
  Buffer opened_;
};

}  // namespace hearthcast::datapath
