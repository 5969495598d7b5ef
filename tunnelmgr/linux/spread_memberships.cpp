#include "tunnelmgr/linux/spread_memberships.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace hearthcast::linux {
namespace {

// What every kernel takes in one filter unless someone lowered it: net.ipv4.igmp_max_msf.
constexpr std::size_t kSurelyFits = 10;

AddressSet first_of(const AddressSet& sources, std::size_t count) {
  auto end = sources.begin();
  std::advance(end, static_cast<std::ptrdiff_t>(std::min(count, sources.size())));
  return {sources.begin(), end};
}

AddressSet without(const AddressSet& sources, const AddressSet& those) {
  AddressSet rest;
  std::ranges::set_difference(sources, those, std::inserter(rest, rest.end()));
  return rest;
}

}  // namespace

bool is_full(int error) { return error == ENOBUFS || error == ENOMEM; }
bool is_gone(int error) { return error == ENODEV || error == ENXIO; }

int SpreadMemberships::bring_to(const Membership& at, Group& group, const SourceFilter& filter) {
  if (filter.wants_nothing()) {
    drop_parts(at, group, 0);
    return 0;
  }
  if (filter.mode == FilterMode::kInclude) {
    return group.excludes ? turn_to_include(at, group, filter.sources)
                          : include_only(at, group, filter.sources);
  }
  return group.excludes ? exclude(at, group, filter.sources) : turn_to_exclude(at, group, filter.sources);
}

// On a socket that has no part of this group yet and has room; on a new one when none is left.
template <class Join>
int SpreadMemberships::place(const Membership& at, Group& group, Join join) {
  const Family family = at.group.family();
  for (auto holder = holders_.begin();; ++holder) {
    const bool fresh = holder == holders_.end();
    if (fresh) {
      auto socket = GroupSocket::open(family);
      if (!socket) {
        return static_cast<int>(socket.error());
      }
      holder = holders_.insert(holders_.end(), Holder{std::move(*socket)});
    } else if (holder->full || holder->socket.family() != family ||
               std::ranges::any_of(group.parts, [&](const Part& p) { return p.holder == holder; })) {
      continue;
    }
    const int error = join(holder->socket);
    if (error == 0) {
      ++holder->held;
      group.parts.push_back(Part{holder, {}});
      return 0;
    }
    holder->socket.leave(at);  // the kernel may have joined before it found no room for the source
    if (fresh) {
      holders_.erase(holder);
    }
    if (fresh || !is_full(error)) {
      return error;
    }
    holder->full = true;
  }
}

int SpreadMemberships::include_source(const Membership& at, Group& group, const IpAddress& source) {
  for (Part& part : group.parts) {
    const bool excludes = group.excludes && &part == &group.parts.front();
    if (excludes || part.sources.size() >= part.limit) {
      continue;
    }
    const int error = part.holder->socket.join_source(at, source);
    if (error == 0) {
      part.sources.insert(source);
      return 0;
    }
    if (!is_full(error)) {
      return error;
    }
    part.limit = part.sources.size();
  }
  const int error = place(at, group, [&](GroupSocket& socket) { return socket.join_source(at, source); });
  if (error == 0) {
    group.parts.back().sources.insert(source);
  }
  return error;
}

int SpreadMemberships::include_only(const Membership& at, Group& group, const AddressSet& sources) {
  AddressSet held;
  for (const Part& part : group.parts) {
    held.insert(part.sources.begin(), part.sources.end());
  }
  int first_error = 0;
  for (const IpAddress& source : without(sources, held)) {
    const int error = include_source(at, group, source);
    if (is_gone(error)) {
      return error;
    }
    first_error = first_error != 0 ? first_error : error;
  }
  for (const IpAddress& source : without(held, sources)) {
    drop_source(at, group, source);
  }
  while (group.parts.size() > 1 && move_last_part(at, group)) {
  }
  return first_error;
}

// What the first socket will not hold is joined by others before it stops asking for all.
int SpreadMemberships::turn_to_include(const Membership& at, Group& group, const AddressSet& sources) {
  const AddressSet here = first_of(sources, kSurelyFits);
  for (const IpAddress& source : without(sources, here)) {
    if (const int error = include_source(at, group, source); error != 0) {
      return error;
    }
  }
  Part& first = group.parts.front();
  const int error = first.holder->socket.set_filter(at, FilterMode::kInclude, here);
  if (error == 0) {
    first.sources = here;
    group.excludes = false;
  }
  return error;
}

int SpreadMemberships::turn_to_exclude(const Membership& at, Group& group, const AddressSet& sources) {
  if (group.parts.empty()) {
    const int error = place(at, group, [&](GroupSocket& socket) { return socket.join(at); });
    group.excludes = error == 0;  // of nothing, whatever becomes of the list
    if (error != 0 || sources.empty()) {
      return error;
    }
  }
  Part& first = group.parts.front();
  AddressSet here = sources;
  int error = first.holder->socket.set_filter(at, FilterMode::kExclude, here);
  if (is_full(error) && raise_limit(at.group.family(), here.size())) {
    error = first.holder->socket.set_filter(at, FilterMode::kExclude, here);
  }
  if (is_full(error)) {
    here = first_of(sources, kSurelyFits);
    error = first.holder->socket.set_filter(at, FilterMode::kExclude, here);
  }
  if (error == 0) {
    first.sources = here;
    first.limit = std::numeric_limits<std::size_t>::max();
    group.excludes = true;
    drop_parts(at, group, 1);
  }
  return error;
}

int SpreadMemberships::exclude(const Membership& at, Group& group, const AddressSet& sources) {
  drop_parts(at, group, 1);  // left over where turning to INCLUDE did not succeed
  Part& part = group.parts.front();
  GroupSocket& socket = part.holder->socket;
  for (const IpAddress& source : without(part.sources, sources)) {
    if (const int error = socket.unblock_source(at, source); error != 0) {
      return error;
    }
    part.sources.erase(source);
  }
  for (const IpAddress& source : without(sources, part.sources)) {
    int error = socket.block_source(at, source);
    if (is_full(error) && raise_limit(at.group.family(), sources.size())) {
      error = socket.block_source(at, source);
    }
    if (is_full(error)) {
      return 0;  // the rest stays admitted
    }
    if (error != 0) {
      return error;
    }
    part.sources.insert(source);
  }
  return 0;
}

void SpreadMemberships::drop_source(const Membership& at, Group& group, const IpAddress& source) {
  const auto part =
      std::ranges::find_if(group.parts, [&](const Part& p) { return p.sources.contains(source); });
  if (part == group.parts.end()) {
    return;
  }
  static_cast<void>(part->holder->socket.leave_source(at, source));
  part->sources.erase(source);
  part->limit = std::numeric_limits<std::size_t>::max();
  if (part->sources.empty()) {  // the kernel left the group on that socket
    release(*part);
    group.parts.erase(part);
  }
}

// To the others, where they have room. True when all of it has moved.
bool SpreadMemberships::move_last_part(const Membership& at, Group& group) {
  Part& last = group.parts.back();
  const auto take = [&](const IpAddress& source) {
    return std::ranges::any_of(group.parts, [&](Part& part) {
      if (&part == &last || part.sources.size() >= part.limit) {
        return false;
      }
      if (part.holder->socket.join_source(at, source) != 0) {
        part.limit = part.sources.size();
        return false;
      }
      part.sources.insert(source);
      return true;
    });
  };
  while (!last.sources.empty()) {
    const IpAddress source = *last.sources.begin();
    if (!take(source)) {
      return false;
    }
    static_cast<void>(last.holder->socket.leave_source(at, source));
    last.sources.erase(source);
  }
  release(last);
  group.parts.pop_back();
  return true;
}

void SpreadMemberships::drop_parts(const Membership& at, Group& group, std::size_t from) {
  while (group.parts.size() > from) {
    group.parts.back().holder->socket.leave(at);
    release(group.parts.back());
    group.parts.pop_back();
  }
}

void SpreadMemberships::release(const Part& part) {
  part.holder->full = false;
  if (--part.holder->held == 0) {
    holders_.erase(part.holder);
  }
}

bool SpreadMemberships::raise_limit(Family family, std::size_t sources) {
  const MachineSetting setting =
      family == Family::kIp4 ? MachineSetting::kIgmpMaxSources : MachineSetting::kMldMaxSources;
  const auto now = netd_->read_setting(setting);
  const auto wanted = static_cast<std::uint32_t>(std::min<std::size_t>(sources, allowed(setting).most));
  return now && *now < wanted && netd_->write_setting(setting, wanted);
}

}  // namespace hearthcast::linux
