// How often one source may be wrong: ten times in fifteen minutes, each time after the fourth a longer wait.
// Pure; bounded memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::api {

class Throttle {
 public:
  static constexpr std::chrono::minutes kWindow{15};
  explicit Throttle(int failures_allowed = 10) : allowed_(failures_allowed) {}

  // How long the source has to wait before its next try; zero when it may try now.
  [[nodiscard]] std::chrono::seconds wait(const IpAddress& source, Time now);
  void failed(const IpAddress& source, Time now);
  void succeeded(const IpAddress& source);

 private:
  struct Record {
    int failures = 0;
    Time first{};  // of this window
    Time last{};
  };
  void forget_old(Time now);

  int allowed_;
  Time sweep_{};
  std::map<IpAddress, Record> records_;  // by IPv4 address or IPv6 /64, which one home has
};

}  // namespace hearthcast::api
