#include "appliance/proxy/upstream_watch.hpp"

#include <algorithm>
#include <cassert>

namespace hearthcast::proxy {

bool UpstreamWatch::on_query(const QuerySeen& query, Time now) {
  const Family family = query.source.family();
  Side& side = sides_[static_cast<std::size_t>(family)];
  const bool was_older = side.older_until > now;
  side.heard = now;
  side.querier = query.source;
  side.version = query.version;
  if (query.version < (family == Family::kIp4 ? 3U : 2U)) {
    const bool first_version = family == Family::kIp4 && query.version == 1;
    side.older_until =
        std::max(side.older_until, now + (first_version ? kIgmp1QuerierPresent : kOlderQuerierPresent));
  }
  return side.older_until > now && !was_older;
}

void UpstreamWatch::on_join(Family family, Time now) {
  Side& side = sides_[static_cast<std::size_t>(family)];
  if (side.joined++ == 0) {
    side.joined_since = now;
  }
}

void UpstreamWatch::on_leave(Family family) {
  Side& side = sides_[static_cast<std::size_t>(family)];
  assert(side.joined > 0);
  --side.joined;
}

void UpstreamWatch::on_reported(Time now) { reported_ = now; }

Time UpstreamWatch::next_report() const {
  Time next = kNever;
  for (const Family family : {Family::kIp4, Family::kIp6}) {
    if (const auto quiet = quiet_since(family)) {
      next = std::min(next, std::max(*quiet, reported_) + kReportInterval);
    }
  }
  return next;
}

QuerierStatus UpstreamWatch::status(Family family, Time now) const {
  const Side& side = sides_[static_cast<std::size_t>(family)];
  QuerierStatus status;
  if (side.heard) {
    status.address = side.querier;
    status.version = side.version;
    status.heard = std::chrono::duration_cast<std::chrono::seconds>(now - *side.heard);
    status.older = side.older_until > now;
  }
  return status;
}

std::optional<Time> UpstreamWatch::quiet_since(Family family) const {
  const Side& side = sides_[static_cast<std::size_t>(family)];
  if (side.joined == 0) {
    return std::nullopt;
  }
  return side.heard ? std::max(*side.heard, side.joined_since) : side.joined_since;
}

}  // namespace hearthcast::proxy
