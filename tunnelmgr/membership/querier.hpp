// Who asks on a link, and when: the querier election, start-up and general queries, and the values that a
// router adopts from another querier (RFC 3810 sections 7.1, 7.6.2, 9; RFC 3376 sections 6.1, 6.6.2, 8).
//
// Knows nothing of groups and makes no packets.
#pragma once

#include <optional>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/router_status.hpp"
#include "tunnelmgr/membership/timing.hpp"
#include "tunnelmgr/wire/membership_message.hpp"

namespace hearthcast::membership {

class Querier {
 public:
  // The link is up; with an address the router begins as querier.
  Querier(Timing configured, std::optional<IpAddress> own_address, Time now);

  void on_address(std::optional<IpAddress> own_address, Time now);
  void on_link(bool up, Time now);
  // `tell`: with a query at once even when no time changed.
  void on_timing(Timing configured, bool tell, Time now);
  // A query of another router. Nobody yields to a higher address than its own.
  void on_query(const IpAddress& source, const wire::MembershipQuery& query, Time now);
  // The last general query was answered, or needs no answer: it is not repeated.
  void on_answer() { answered_ = true; }
  // Where Timing::quiet_unless_wanted keeps it from asking: asks at the next deadline, which is now.
  void ask_if_quiet(bool wanted, Time now);
  // Something is wanted where nothing was: it was just reported, so its first confirmation is not due yet.
  void on_wanted(Time now);
  // True: send a general query now. `wanted`: hosts want something, so that an answer is due.
  [[nodiscard]] bool on_deadline(bool wanted, Time now);
  [[nodiscard]] Time next_deadline(bool wanted) const;

  [[nodiscard]] QuerierRole role() const { return role_; }
  [[nodiscard]] const std::optional<IpAddress>& own_address() const { return own_; }
  [[nodiscard]] std::optional<IpAddress> address() const;  // of whoever is querier
  [[nodiscard]] bool link_up() const { return up_; }
  [[nodiscard]] Time other_expires() const { return other_until_; }  // with role kOther
  // The other querier has let the time of a general query pass: it may be gone, and nobody is asked
  // meanwhile. Specific queries renew its claim, so that this can last longer than a membership does.
  [[nodiscard]] bool other_is_overdue(Time now) const;
  [[nodiscard]] int other_version() const { return other_version_; }
  [[nodiscard]] Time next_query() const { return next_query_; }  // with role kSelf
  // In force: the configured values, or while another is querier what it told.
  [[nodiscard]] const Timing& timing() const { return timing_; }
  // Since when a whole round of start-up queries was answered by whoever is there; kNever before.
  [[nodiscard]] Time listeners_known_at() const { return listeners_known_at_; }

 private:
  void begin(Time now);  // as querier, with start-up queries
  void be_silent();
  void adopt(const wire::MembershipQuery& query);
  [[nodiscard]] bool repeats_left(bool wanted) const;
  [[nodiscard]] bool is_quiet(bool wanted) const {
    return timing_.quiet_unless_wanted && !wanted && startup_queries_left_ == 0 && !asked_for_;
  }

  Timing configured_;
  Timing timing_;
  std::optional<IpAddress> own_;
  bool up_ = true;
  QuerierRole role_ = QuerierRole::kSilent;

  int startup_queries_left_ = 0;
  Time next_query_ = kNever;
  Time last_query_{};
  bool asked_for_ = false;   // ask_if_quiet() was called since
  std::size_t repeats_ = 0;  // of the last query, done so far
  bool answered_ = true;
  Time listeners_known_at_ = kNever;

  std::optional<IpAddress> other_;
  Time other_until_ = kNever;
  int other_version_ = 0;
  Time other_asked_{};  // all hosts, for the last time
};

}  // namespace hearthcast::membership
