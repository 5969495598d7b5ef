// One upstream link: hears the provider's queries, and repeats what is joined there when it may have been
// forgotten. One thread.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "appliance/multicast/machine.hpp"
#include "appliance/proxy/proxy.hpp"

namespace hearthcast::multicast {

class UpstreamLink {
 public:
  // RFC 3810 section 9.1: each change is told robustness times, a second apart; so is this.
  static constexpr int kReports = 2;
  static constexpr std::chrono::seconds kReportInterval{1};
  // For how long an older query is remembered: RFC 3810 section 9.12 with its defaults.
  static constexpr std::chrono::seconds kOlderQuerierPresent{260};
  static constexpr int kPacketsAtOnce = 256;

  // Without a link (it could not be opened) nothing is heard and reports are left to the kernel.
  explicit UpstreamLink(std::unique_ptr<Link> link) : link_(std::move(link)) {}

  // The queries that came.
  [[nodiscard]] std::vector<proxy::QuerySeen> on_readable(Time now);
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
  int reports_left_ = 0;
  Time report_at_ = kNever;
};

}  // namespace hearthcast::multicast
