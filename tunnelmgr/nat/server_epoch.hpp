// Tells from the epochs of a PCP or NAT-PMP server whether it has lost its mappings since it was heard last
// (RFC 6887 section 8.5).
#pragma once

#include <cstdint>
#include <optional>

#include "tunnelmgr/base/time.hpp"

namespace hearthcast::nat {

class ServerEpoch {
 public:
  // False: the server forgot. Remembers this one either way.
  [[nodiscard]] bool on_epoch(std::uint32_t seconds, Time now) {
    const bool good = !last_ || is_plausible(seconds, now);
    last_ = seconds;
    heard_ = now;
    return good;
  }
  void forget() { last_.reset(); }

 private:
  [[nodiscard]] bool is_plausible(std::uint32_t seconds, Time now) const {
    if (std::int64_t{seconds} + 1 < std::int64_t{*last_}) {
      return false;
    }
    const std::int64_t client = std::chrono::duration_cast<std::chrono::seconds>(now - heard_).count();
    const std::int64_t server = std::int64_t{seconds} - std::int64_t{*last_};
    return client + 2 >= server - server / 16 && server + 2 >= client - client / 16;
  }

  std::optional<std::uint32_t> last_;
  Time heard_{};
};

}  // namespace hearthcast::nat
