// One connection of a device to a host at home, as the relay carries it: two sockets and what is on its way
// between them. Data thread only.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/linux/epoll.hpp"

namespace hearthcast::forward {

class HomeLink {
 public:
  // Both non-blocking; the one to the host may be connecting still. Tokens: token for the device's, token + 1
  // for the host's.
  HomeLink(linux::Epoll& epoll, std::uint64_t token, linux::Fd device, linux::Fd host);
  ~HomeLink();
  HomeLink(const HomeLink&) = delete;
  HomeLink& operator=(const HomeLink&) = delete;

  // False: it is over.
  [[nodiscard]] bool start();
  [[nodiscard]] bool on_event(const linux::Epoll::Event& event);
  // The device learns that it was cut off, not that all has been said.
  void reset();

 private:
  static constexpr std::size_t kRoom = std::size_t{64} << 10;
  static constexpr int kReadsPerTurn = 4;

  struct End {
    linux::Fd fd;
    Buffer pending;  // for this end, from `sent` on
    std::size_t sent = 0;
    bool said_all = false;  // nothing more comes from it
    bool told_all = false;  // it knows that nothing more comes
    bool watched = false;
    std::uint32_t interest = 0;
  };

  [[nodiscard]] bool pump(End& from, End& to);
  [[nodiscard]] static bool flush(End& to);
  [[nodiscard]] bool watch(End& end, std::uint64_t token, bool read, bool write);
  [[nodiscard]] bool settle();

  linux::Epoll& epoll_;
  std::uint64_t token_;
  End device_;
  End host_;
  bool connected_ = false;
};

}  // namespace hearthcast::forward
