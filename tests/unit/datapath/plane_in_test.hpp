// A running data thread for tests: on a port of its own, told things, and asked for what it says.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <deque>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/datapath/messages.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"

namespace hearthcast::datapath {

inline constexpr auto kPatience = std::chrono::seconds{20};  // only a broken data plane needs it
inline const IpAddress kLoopback = *IpAddress::parse("127.0.0.1");

class SilentLog : public Log {
  void write(Level, std::string_view, std::initializer_list<hearthcast::Field>) override {}
};

inline linux::UdpSocket open_port() { return linux::UdpSocket::open({}).value(); }

inline bool readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) == 1;
}

template <class Plane>
class PlaneInTest {
 public:
  using Down = typename Plane::Down;
  using Up = typename Plane::Up;

  PlaneInTest() : PlaneInTest(open_port()) {}
  explicit PlaneInTest(linux::UdpSocket port) : port_(std::move(port)) { plane_.start(); }
  void post(Down message) { EXPECT_TRUE(plane_.post(std::move(message))); }
  void stop() { plane_.stop(); }
  [[nodiscard]] Plane& plane() { return plane_; }
  [[nodiscard]] linux::UdpSocket& port() { return port_; }
  [[nodiscard]] Endpoint endpoint() const { return {kLoopback, port_.port()}; }

  // The next message of that kind, of which want says that it will do.
  template <class T, class Want>
  std::optional<T> wait_for(Want want) {
    const Time end = Clock::now() + kPatience;
    for (;;) {
      plane_.consume([this](Up message) { heard_.push_back(std::move(message)); });
      while (!heard_.empty()) {
        auto message = std::move(heard_.front());
        heard_.pop_front();
        if (auto* wanted = std::get_if<T>(&message); wanted != nullptr && want(*wanted)) {
          return std::move(*wanted);
        }
      }
      if (Clock::now() >= end) {
        return std::nullopt;
      }
      pollfd ready{plane_.wake_fd(), POLLIN, 0};
      (void)::poll(&ready, 1, 100);
    }
  }
  template <class T>
  std::optional<T> wait_for() {
    return wait_for<T>([](const T&) { return true; });
  }

 private:
  SilentLog log_;
  linux::UdpSocket port_;
  Plane plane_{port_, log_};
  std::deque<Up> heard_;
};

}  // namespace hearthcast::datapath
