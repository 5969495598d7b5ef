// Opening a client's connection: resolve, connect, TLS. Internal to http; heavy to include.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/http/any_stream.hpp"
#include "tunnelmgr/http/client.hpp"

namespace hearthcast::http {

// One attempt with a time limit for all its steps. When the time is over whatever is pending ends with an
// error.
class Dial : public std::enable_shared_from_this<Dial> {
 public:
  Dial(asio::io_context& io, Target to);
  void limit(std::chrono::milliseconds timeout);  // closes the stream then
  void unlimit();
  [[nodiscard]] asio::awaitable<std::optional<std::string>> open();  // error text, or nullopt
  [[nodiscard]] AnyStream& stream() { return stream_; }
  [[nodiscard]] const Endpoint& peer() const { return peer_; }
  [[nodiscard]] bool timed_out() const { return timed_out_; }
  [[nodiscard]] const Target& target() const { return to_; }

 private:
  asio::awaitable<std::optional<std::string>> open_tcp();
  asio::awaitable<std::optional<std::string>> open_tls();

  asio::io_context& io_;
  Target to_;
  AnyStream stream_;
  boost::asio::steady_timer timer_;
  Endpoint peer_;
  bool timed_out_ = false;
};

}  // namespace hearthcast::http
