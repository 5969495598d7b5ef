// Makes the connections to hosts at home for devices that may go there: takes those that the translation
// brings to it (home_nat.hpp), and makes each anew from the box's own address. Data thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "appliance/forward/home_link.hpp"
#include "appliance/forward/home_nat.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::forward {

struct HomeCounters {
  std::uint64_t opened = 0;   // connections, since the box started
  std::uint64_t refused = 0;  // of these not made: the box itself, too many at once, or no way there
  std::size_t open = 0;       // now
};

class HomeRelay {
 public:
  static constexpr std::size_t kMaxPerDevice = 64;
  static constexpr std::size_t kMaxInAll = 1000;

  // Tokens from first_token on are its own. Both outlive it.
  HomeRelay(linux::Epoll& epoll, HomeNat& nat, std::uint64_t first_token)
      : epoll_(epoll), nat_(nat), first_token_(first_token) {}

  // Listens for what comes out of that interface, in both families. A Failure says what the kernel refused.
  [[nodiscard]] Result<void, Failure> listen(const std::string& interface);
  [[nodiscard]] std::uint16_t port() const { return port_; }  // 0: it does not listen

  void on_event(const linux::Epoll::Event& event, Time now);
  // Cuts off what is not allowed any more.
  void review(const std::function<bool(const HomeNat::Flow&)>& allowed, Time now);
  [[nodiscard]] HomeCounters counters() const {
    HomeCounters now = counters_;
    now.open = links_.size();
    return now;
  }

 private:
  struct Entry {
    HomeNat::Flow flow;
    Endpoint stand_in;
    std::unique_ptr<HomeLink> link;
  };

  void accept();
  void take(linux::Fd device, const Endpoint& stand_in);
  void end(std::uint64_t number, Time now);

  linux::Epoll& epoll_;
  HomeNat& nat_;
  std::uint64_t first_token_;
  linux::Fd listener_;
  std::uint16_t port_ = 0;
  std::unordered_map<std::uint64_t, Entry> links_;
  std::unordered_map<PeerId, std::size_t> counts_;
  std::uint64_t last_ = 0;  // of links_; never used again
  HomeCounters counters_;
};

}  // namespace hearthcast::forward
