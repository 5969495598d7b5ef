// The far end of a tunnel for tests: an established session and a socket of its own.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "tests/unit/datapath/established.hpp"
#include "tests/unit/datapath/plane_in_test.hpp"

namespace hearthcast::datapath {

class DeviceInTest {
 public:
  explicit DeviceInTest(int id) : id_(id), ends_(Established::make()) {}
  [[nodiscard]] PeerId id() const { return PeerId{id_}; }
  [[nodiscard]] Endpoint endpoint() const { return {kLoopback, socket_.port()}; }
  AddSession session() { return {id(), endpoint(), std::move(ends_.server)}; }

  void send(const Endpoint& to, Bytes gre) { send_raw(to, seal(*ends_.client, gre)); }
  void send_raw(const Endpoint& to, Bytes datagram) { (void)socket_.send(to, datagram); }

  // Opened datagrams until there are count, or the session has ended.
  std::vector<Buffer> receive(std::size_t count) {
    const Time end = Clock::now() + kPatience;
    while (received_.size() < count && !closed_ && Clock::now() < end) {
      pollfd ready{socket_.fd(), POLLIN, 0};
      (void)::poll(&ready, 1, 100);
      for (const auto& datagram : socket_.receive(batch_).datagrams) {
        Buffer plaintext(secure::kDtlsMaxPlaintext);
        const auto size = ends_.client->open(datagram.payload, plaintext);
        if (!size) {
          closed_ |= size.error() == secure::OpenError::kEnded;
          continue;
        }
        plaintext.resize(*size);
        marks_.push_back(datagram.traffic_class & 3);
        received_.push_back(std::move(plaintext));
      }
    }
    return std::exchange(received_, {});
  }
  // ECN of the outer headers of all that was opened.
  [[nodiscard]] const std::vector<std::uint8_t>& marks() const { return marks_; }
  // A goodbye came; what came before it is thrown away.
  bool closed() {
    (void)receive(SIZE_MAX);
    return closed_;
  }

 private:
  int id_;
  Established ends_;
  linux::UdpSocket socket_ = open_port();
  linux::ReceiveBatch batch_;
  std::vector<Buffer> received_;
  std::vector<std::uint8_t> marks_;
  bool closed_ = false;
};

}  // namespace hearthcast::datapath
