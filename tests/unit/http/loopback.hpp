// A server on loopback and raw sockets to talk to it: what a fixture needs to say what it sends, octet by
// octet.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <string>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/http/server.hpp"

namespace hearthcast::http {

struct QuietLog final : Log {
  void write(Level, std::string_view, std::initializer_list<Field>) override {}
};

// A plain blocking-free client: sends at once, reads what is there while the caller turns the loop.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~RawClient() { end(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  void end() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }
  void finish() { ::shutdown(fd_, SHUT_WR); }  // says no more, still listens
  bool send(std::string_view text) {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(text.size());
  }
  // Appends what has arrived; ended() turns true with the server's close.
  const std::string& read() {
    char octets[65536];
    for (;;) {
      const ssize_t count = ::recv(fd_, octets, sizeof octets, MSG_DONTWAIT);
      if (count <= 0) {
        ended_ = ended_ || count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
        return received_;
      }
      received_.append(octets, static_cast<std::size_t>(count));
    }
  }
  [[nodiscard]] bool ended() {
    read();
    return ended_;
  }
  [[nodiscard]] bool connected() const { return connected_; }

 private:
  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string received_;
};

// Turns the loop until condition() holds; false after ten seconds, which no healthy run comes near.
template <class Condition>
bool turn_until(boost::asio::io_context& io, Condition condition) {
  const Time give_up = Clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (Clock::now() > give_up) {
      return false;
    }
    io.restart();
    io.run_for(std::chrono::milliseconds{5});
  }
  return true;
}

}  // namespace hearthcast::http
