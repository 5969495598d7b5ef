// One upstream link: hears the provider's queries, repeats what is joined there when it may have been
// forgotten, and tells a join before the kernel does. One thread.
//
// The kernel's own first report of a join waits for its timer, 8 to 12 ms at 250 Hz. Ours is beside it: the
// kernel still joins, reports, repeats and answers, and a router takes the same word twice.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "appliance/multicast/machine.hpp"
#include "appliance/proxy/proxy.hpp"
#include "tunnelmgr/base/token_bucket.hpp"

namespace hearthcast::multicast {

class UpstreamLink {
 public:
  // RFC 3810 section 9.1: each change is told robustness times, a second apart; so is this.
  static constexpr int kReports = 2;
  static constexpr std::chrono::seconds kReportInterval{1};
  // For how long an older query is remembered: RFC 3810 section 9.12 with its defaults.
  static constexpr std::chrono::seconds kOlderQuerierPresent{260};
  static constexpr int kPacketsAtOnce = 256;
  // Joins that are told before the kernel: as many at once, then so many a second. More than that is no
  // person who zaps; the kernel tells them, many in one packet.
  static constexpr int kJoinsAtOnce = 32;
  static constexpr int kJoinsPerSecond = 64;

  // Without a link (it could not be opened) nothing is heard and reports are left to the kernel.
  explicit UpstreamLink(std::unique_ptr<Link> link) : link_(std::move(link)) {}

  // The queries that came.
  [[nodiscard]] std::vector<proxy::QuerySeen> on_readable(Time now);
  // The kernel has just been brought from one filter of the group to the other. Where that is more, it is
  // told in one packet, now, in the version of the link's querier; without an address to speak from, or when
  // it is one of too many, it is left to the kernel.
  void on_joined(const linux::Interface& interface, const IpAddress& group, const SourceFilter& before,
                 const SourceFilter& wanted, Time now);
  // From now on: what is joined goes out kReports times.
  void report_again(Time now);
  // Sends what is due.
  void on_deadline(const linux::Interface& interface, Memberships& memberships, Time now);
  [[nodiscard]] Time next_deadline() const { return report_at_; }

 private:
  struct Older {
    int version = 0;
    Time heard{};
  };
  [[nodiscard]] int version(Family family, Time now) const;

  std::unique_ptr<Link> link_;
  std::array<std::optional<Older>, 2> older_ = {};  // by Family: the last query of an older version
  TokenBucket joins_{kJoinsAtOnce, kJoinsPerSecond};
  int reports_left_ = 0;
  Time report_at_ = kNever;
};

}  // namespace hearthcast::multicast
