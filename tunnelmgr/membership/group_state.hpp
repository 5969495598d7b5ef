// What is wanted of one group, as the RFCs let a router keep it: filter mode, filter timer, and the sources
// with and without a running timer (RFC 3810 section 7.2), changed by records as the tables of section 7.4
// say.
//
// IGMPv3 has the same tables. Where a table says "Send Q", the state only names what to ask about: whether
// that is asked on the link, or known already, is the caller's matter, as is lowering the timers.
#pragma once

#include <map>
#include <vector>

#include "tunnelmgr/base/source_filter.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/wire/membership_message.hpp"

namespace hearthcast::membership {

// What somebody left and others may still want: the group as a whole, single sources of it, or both.
struct Ask {
  bool group = false;
  std::vector<IpAddress> sources = {};

  [[nodiscard]] bool empty() const { return !group && sources.empty(); }
  friend bool operator==(const Ask&, const Ask&) = default;
};

class GroupState {
 public:
  // `until`: now and the multicast address listening interval. Unknown record types change nothing.
  Ask on_record(wire::RecordType type, const std::vector<IpAddress>& sources, Time until);
  // Lowers the timers of what `ask` names, where they are later, to `until`; returns what was lowered.
  Ask lower(const Ask& ask, Time until);
  // No timer ends before `until`.
  void raise(Time until);
  // Timers that ran out: sources go, or are excluded while the filter timer runs; with the filter timer the
  // mode becomes INCLUDE of what still runs (section 7.2.2, 7.2.3, 7.5).
  void on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] SourceFilter filter() const;  // what to forward: section 7.3
  [[nodiscard]] FilterMode mode() const { return mode_; }
  [[nodiscard]] Time filter_timer() const { return filter_timer_; }  // has a meaning in mode EXCLUDE
  // Sources with a timer: A of INCLUDE (A), X of EXCLUDE (X, Y).
  [[nodiscard]] const std::map<IpAddress, Time>& requested() const { return requested_; }
  [[nodiscard]] const AddressSet& excluded() const { return excluded_; }  // Y
  // Nothing is wanted: mode INCLUDE without sources.
  [[nodiscard]] bool empty() const { return mode_ == FilterMode::kInclude && requested_.empty(); }
  [[nodiscard]] std::size_t sources() const { return requested_.size() + excluded_.size(); }
  [[nodiscard]] bool knows(const IpAddress& source) const {
    return requested_.contains(source) || excluded_.contains(source);
  }
  // As of `now`, also when on_deadline() was not called in time.
  [[nodiscard]] bool excludes_at(Time now) const {
    return mode_ == FilterMode::kExclude && filter_timer_ > now;
  }
  [[nodiscard]] bool admits_at(const IpAddress& source, Time now) const;

 private:
  void request(const std::vector<IpAddress>& sources, Time until);
  void exclude(const std::vector<IpAddress>& sources, Time timer_of_new_ones);
  [[nodiscard]] Ask block(const std::vector<IpAddress>& sources);
  [[nodiscard]] Ask change_to_include(const std::vector<IpAddress>& sources, Time until);

  FilterMode mode_ = FilterMode::kInclude;
  Time filter_timer_{};
  std::map<IpAddress, Time> requested_;
  AddressSet excluded_;
};

}  // namespace hearthcast::membership
