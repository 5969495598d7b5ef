// A TCP server on the loopback for one client, that waits as long as it takes.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

class TcpServer {
 public:
  TcpServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
    port_ = ntohs(at.sin_port);
  }

  [[nodiscard]] Endpoint endpoint() const { return {*IpAddress::parse("127.0.0.1"), port_}; }
  void accept() {
    client_ = Fd(::accept(listener_.get(), nullptr, nullptr));
    EXPECT_TRUE(client_);
  }
  [[nodiscard]] int client() const { return client_.get(); }
  void hang_up() { client_.close(); }

  void write(const std::string& text) const {
    EXPECT_EQ(::send(client_.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  void write(Bytes octets) const { write(std::string(as_text(octets))); }
  // That many octets; fewer when the client has ended.
  [[nodiscard]] std::string read(std::size_t size) const {
    std::string text(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const auto came = ::recv(client_.get(), text.data() + have, size - have, 0);
      if (came <= 0) {
        break;
      }
      have += static_cast<std::size_t>(came);
    }
    text.resize(have);
    return text;
  }

 private:
  Fd listener_;
  Fd client_;
  std::uint16_t port_ = 0;
};

}  // namespace hearthcast::linux
