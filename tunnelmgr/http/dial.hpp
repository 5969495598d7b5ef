// Opening a client's connection: resolve, connect, TLS. Internal to http; heavy to include.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <vector>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/http/any_stream.hpp"
#include "tunnelmgr/http/client.hpp"

namespace hearthcast::http {

// One attempt with a time limit for all its steps. When the time is over whatever is pending ends with an
// error. A name's addresses are tried one after the other; one that does not answer leaves the others their
// share of the time.
class Dial : public std::enable_shared_from_this<Dial> {
 public:
  Dial(asio::io_context& io, Target to);
  void limit(std::chrono::milliseconds timeout);  // closes the stream then
  void unlimit();
  [[nodiscard]] asio::awaitable<std::optional<std::string>> open();  // error text, or nullopt
  // The same, at these addresses instead of those that the target's name has.
  [[nodiscard]] asio::awaitable<std::optional<std::string>> open_at(
      std::vector<asio::ip::tcp::endpoint> addresses);
  [[nodiscard]] AnyStream& stream() { return stream_; }
  [[nodiscard]] const Endpoint& peer() const { return peer_; }
  [[nodiscard]] bool timed_out() const { return timed_out_; }
  [[nodiscard]] const Target& target() const { return to_; }

 private:
  asio::awaitable<std::optional<std::string>> open_tcp();
  asio::awaitable<std::optional<std::string>> open_tls();
  void resolve();
  unsigned begin_attempt(std::size_t addresses_left);
  bool end_attempt(unsigned attempt);  // false: it has ended

  asio::io_context& io_;
  Target to_;
  AnyStream stream_;
  asio::ip::tcp::resolver resolver_;
  boost::system::error_code resolve_error_;
  std::vector<asio::ip::tcp::endpoint> found_;
  boost::asio::steady_timer timer_;  // of all steps
  boost::asio::steady_timer step_;
  Time until_ = kNever;
  unsigned attempt_ = 0;  // the address that is being tried
  Endpoint peer_;
  bool timed_out_ = false;
};

}  // namespace hearthcast::http
