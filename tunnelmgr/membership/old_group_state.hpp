// What one host wants of one group, as a router keeps it: filter mode, source lists, timers (RFC 3810
// section 7.2, the tables of section 7.4; IGMPv3 alike).
//
// The tunnel has one host, whose reports are complete. So a leave needs no last-listener query: TO_IN and
// BLOCK take effect at once.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/wire/membership_message.hpp"

namespace hearthcast::membership::old {

class GroupState {
 public:
  enum class Mode { kInclude, kExclude };

  // `until`: when what the record asks for expires. Unknown record types change nothing.
  void on_record(wire::RecordType type, const std::vector<IpAddress>& sources, Time until);
  void on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] Mode mode() const { return mode_; }
  // Empty and in mode INCLUDE: the group is not wanted at all.
  [[nodiscard]] bool empty() const { return mode_ == Mode::kInclude && requested_.empty(); }
  // The sources to forward: nullopt stands for any source, in mode EXCLUDE. Sources that the host excluded
  // are not taken out: the host drops them itself, and a channel with them is one flow for every viewer.
  [[nodiscard]] std::set<std::optional<IpAddress>> wanted() const;
  // Sources that have a timer: B of INCLUDE (B), X of EXCLUDE (X, Y).
  [[nodiscard]] std::set<IpAddress> requested() const;
  [[nodiscard]] const std::set<IpAddress>& excluded() const { return excluded_; }
  [[nodiscard]] std::size_t sources() const { return requested_.size() + excluded_.size(); }

 private:
  void request(const std::vector<IpAddress>& sources, Time until);
  void exclude_mode(const std::vector<IpAddress>& sources, Time until, bool change);

  Mode mode_ = Mode::kInclude;
  Time group_timer_{};  // in mode EXCLUDE
  std::map<IpAddress, Time> requested_;
  std::set<IpAddress> excluded_;
};

}  // namespace hearthcast::membership::old
