// What is heard of the provider's querier on one upstream, and when memberships are reported without being
// asked.
//
// The kernel answers queries by itself. A provider that never asks would forget the box after a few minutes,
// and so would a switch in between; so while no query is heard, everything is reported again at every
// interval.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

#include "appliance/proxy/interface.hpp"
#include "appliance/proxy/status.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::proxy {

// The default query interval (RFC 9777 section 9.2, RFC 9776 section 8.2).
inline constexpr std::chrono::seconds kReportInterval{125};
// How long one query of an older version counts: robustness 2, query interval 125 s, response interval 10 s;
// and for IGMPv1 (RFC 2236 section 8.11).
inline constexpr std::chrono::seconds kOlderQuerierPresent{260};
inline constexpr std::chrono::seconds kIgmp1QuerierPresent{400};

class UpstreamWatch {
 public:
  // True when the querier turns out to be an older one, and was not thought so before.
  bool on_query(const QuerySeen& query, Time now);
  void on_join(Family family, Time now);  // one more group
  void on_leave(Family family);           // one group less
  void on_reported(Time now);
  [[nodiscard]] Time next_report() const;  // kNever: nothing is joined
  [[nodiscard]] bool joined() const { return sides_[0].joined + sides_[1].joined > 0; }

  [[nodiscard]] QuerierStatus status(Family family, Time now) const;
  // Since when something is joined and no query was heard; nullopt: nothing is joined.
  [[nodiscard]] std::optional<Time> quiet_since(Family family) const;

 private:
  struct Side {
    std::optional<Time> heard = {};
    IpAddress querier = {};
    unsigned version = 0;
    Time older_until{};
    std::size_t joined = 0;
    Time joined_since{};
  };
  std::array<Side, 2> sides_{};
  Time reported_{};
};

}  // namespace hearthcast::proxy
