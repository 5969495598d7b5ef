#include "tunnelmgr/linux/upstream_memberships.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <list>
#include <set>
#include <vector>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/group_socket.hpp"
#include "tunnelmgr/wire/state_report.hpp"

namespace hearthcast::linux {
namespace {

// What every kernel takes in one filter unless someone lowered it: net.ipv4.igmp_max_msf.
constexpr std::size_t kSurelyFits = 10;
constexpr std::size_t kNoLimitKnown = std::numeric_limits<std::size_t>::max();

struct Holder {
  GroupSocket socket;
  std::size_t held = 0;  // memberships
  bool full = false;
};
using Holders = std::list<Holder>;

// One socket's share of a group.
struct Part {
  Holders::iterator holder;
  std::set<IpAddress> sources;  // included here; or excluded
  std::size_t limit = kNoLimitKnown;
};

struct Group {
  SourceFilter filter;    // as asked for
  bool excludes = false;  // the first part is in mode EXCLUDE, then the only one that stays
  std::vector<Part> parts;
};

bool is_full(int error) { return error == ENOBUFS || error == ENOMEM; }
bool is_gone(int error) { return error == ENODEV || error == ENXIO; }

std::set<IpAddress> first_of(const std::set<IpAddress>& sources, std::size_t count) {
  auto end = sources.begin();
  std::advance(end, static_cast<std::ptrdiff_t>(std::min(count, sources.size())));
  return {sources.begin(), end};
}

std::set<IpAddress> without(const std::set<IpAddress>& sources, const std::set<IpAddress>& those) {
  std::set<IpAddress> rest;
  std::ranges::set_difference(sources, those, std::inserter(rest, rest.end()));
  return rest;
}

bool can_be_joined(const IpAddress& group, const SourceFilter& filter) {
  return group.is_multicast() && !group.is_link_scope_multicast() &&
         std::ranges::all_of(filter.sources, [&](const IpAddress& s) {
           return s.family() == group.family() && !s.is_multicast() && !s.is_unspecified();
         });
}

}  // namespace

struct UpstreamMemberships::State {
  explicit State(NetdClient& client) : netd(&client) {}

  NetdClient* netd;
  Holders holders;
  std::map<Membership, Group> groups;

  // Each returns an errno, 0 for done.
  template <class Join>
  int place(const Membership& at, Group& group, Join join);
  int include_source(const Membership& at, Group& group, const IpAddress& source);
  int include_only(const Membership& at, Group& group, const std::set<IpAddress>& sources);
  int turn_to_include(const Membership& at, Group& group, const std::set<IpAddress>& sources);
  int exclude(const Membership& at, Group& group, const std::set<IpAddress>& sources);
  int turn_to_exclude(const Membership& at, Group& group, const std::set<IpAddress>& sources);

  void drop_source(const Membership& at, Group& group, const IpAddress& source);
  void drop_parts(const Membership& at, Group& group, std::size_t from);
  void release(const Part& part);
  bool raise_limit(Family family, std::size_t sources);
};

// On a socket that has no part of this group yet and has room; on a new one when none is left.
template <class Join>
int UpstreamMemberships::State::place(const Membership& at, Group& group, Join join) {
  const Family family = at.group.family();
  for (auto holder = holders.begin();; ++holder) {
    const bool fresh = holder == holders.end();
    if (fresh) {
      auto socket = GroupSocket::open(family);
      if (!socket) {
        return static_cast<int>(socket.error());
      }
      holder = holders.insert(holders.end(), Holder{std::move(*socket)});
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
      holders.erase(holder);
    }
    if (fresh || !is_full(error)) {
      return error;
    }
    holder->full = true;
  }
}

int UpstreamMemberships::State::include_source(const Membership& at, Group& group, const IpAddress& source) {
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

int UpstreamMemberships::State::include_only(const Membership& at, Group& group,
                                             const std::set<IpAddress>& sources) {
  std::set<IpAddress> held;
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
  return first_error;
}

// What the first socket will not hold is joined by others before it stops asking for all.
int UpstreamMemberships::State::turn_to_include(const Membership& at, Group& group,
                                                const std::set<IpAddress>& sources) {
  const std::set<IpAddress> here = first_of(sources, kSurelyFits);
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

int UpstreamMemberships::State::turn_to_exclude(const Membership& at, Group& group,
                                                const std::set<IpAddress>& sources) {
  if (group.parts.empty()) {
    const int error = place(at, group, [&](GroupSocket& socket) { return socket.join(at); });
    if (error != 0 || sources.empty()) {
      group.excludes = error == 0;
      return error;
    }
  }
  Part& first = group.parts.front();
  std::set<IpAddress> here = sources;
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
    first.limit = kNoLimitKnown;
    group.excludes = true;
    drop_parts(at, group, 1);
  }
  return error;
}

int UpstreamMemberships::State::exclude(const Membership& at, Group& group,
                                        const std::set<IpAddress>& sources) {
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

void UpstreamMemberships::State::drop_source(const Membership& at, Group& group, const IpAddress& source) {
  const auto part =
      std::ranges::find_if(group.parts, [&](const Part& p) { return p.sources.contains(source); });
  if (part == group.parts.end()) {
    return;
  }
  static_cast<void>(part->holder->socket.leave_source(at, source));
  part->sources.erase(source);
  part->limit = kNoLimitKnown;
  if (part->sources.empty()) {  // the kernel left the group on that socket
    release(*part);
    group.parts.erase(part);
  }
}

void UpstreamMemberships::State::drop_parts(const Membership& at, Group& group, std::size_t from) {
  while (group.parts.size() > from) {
    group.parts.back().holder->socket.leave(at);
    release(group.parts.back());
    group.parts.pop_back();
  }
}

void UpstreamMemberships::State::release(const Part& part) {
  part.holder->full = false;
  if (--part.holder->held == 0) {
    holders.erase(part.holder);
  }
}

bool UpstreamMemberships::State::raise_limit(Family family, std::size_t sources) {
  const MachineSetting setting =
      family == Family::kIp4 ? MachineSetting::kIgmpMaxSources : MachineSetting::kMldMaxSources;
  const auto now = netd->read_setting(setting);
  const auto wanted = static_cast<std::uint32_t>(std::min<std::size_t>(sources, allowed(setting).most));
  return now && *now < wanted && netd->write_setting(setting, wanted);
}

UpstreamMemberships::UpstreamMemberships(NetdClient& netd) : state_(std::make_unique<State>(netd)) {}
UpstreamMemberships::UpstreamMemberships(UpstreamMemberships&&) noexcept = default;
UpstreamMemberships& UpstreamMemberships::operator=(UpstreamMemberships&&) noexcept = default;
UpstreamMemberships::~UpstreamMemberships() = default;  // closing a socket leaves its groups

UpstreamMemberships::Answer UpstreamMemberships::set(unsigned interface_index, const IpAddress& group,
                                                     const SourceFilter& filter) {
  if (interface_index == 0 || !can_be_joined(group, filter)) {
    return {Outcome::kRefused, "cannot join " + group.to_string() + " " + filter.to_string() +
                                   ": it needs an interface, a multicast group beyond the link, and unicast "
                                   "sources of its family"};
  }
  const Membership at{interface_index, group};
  if (joined(interface_index, group) == filter) {
    return {};
  }
  Group& entry = state_->groups[at];
  int error = 0;
  if (filter.wants_nothing()) {
    state_->drop_parts(at, entry, 0);
  } else if (filter.mode == FilterMode::kInclude) {
    error = entry.excludes ? state_->turn_to_include(at, entry, filter.sources)
                           : state_->include_only(at, entry, filter.sources);
  } else {
    error = entry.excludes ? state_->exclude(at, entry, filter.sources)
                           : state_->turn_to_exclude(at, entry, filter.sources);
  }
  return finish(interface_index, group, filter, error);
}

UpstreamMemberships::Answer UpstreamMemberships::finish(unsigned interface_index, const IpAddress& group,
                                                        const SourceFilter& filter, int error) {
  const Membership at{interface_index, group};
  Group& entry = state_->groups[at];
  if (is_gone(error)) {
    state_->drop_parts(at, entry, 0);
  }
  entry.filter = filter;
  if (error != 0) {  // what holds now, so that asking again has something to do
    entry.filter = {entry.excludes ? FilterMode::kExclude : FilterMode::kInclude, {}};
    for (const Part& part : entry.parts) {
      entry.filter.sources.insert(part.sources.begin(), part.sources.end());
      if (entry.excludes) {
        break;  // others only repeat what the first one does not exclude
      }
    }
  }
  const bool partly = error == 0 && filter.mode == FilterMode::kExclude &&
                      entry.parts.front().sources.size() < filter.sources.size();
  if (entry.parts.empty()) {
    state_->groups.erase(at);
  }
  const std::string what = "joining " + group.to_string() + " " + filter.to_string() + " on interface " +
                           std::to_string(interface_index);
  if (is_gone(error)) {
    return {Outcome::kGone, kernel_failure(what, error).text + "; this interface is gone"};
  }
  if (error != 0) {
    return {Outcome::kRefused,
            kernel_failure(what, error).text +
                (is_full(error) ? "; raise net.core.optmem_max and net.ipv4.igmp_max_msf" : "")};
  }
  if (partly) {
    return {Outcome::kPartly,
            what +
                ": not all of these sources can be excluded, so more may come than was asked for; raise "
                "net.ipv4.igmp_max_msf and net.ipv6.mld_max_msf"};
  }
  return {};
}

void UpstreamMemberships::forget(unsigned interface_index) {
  for (auto& [at, group] : state_->groups) {
    if (at.interface_index == interface_index) {
      state_->drop_parts(at, group, 0);
    }
  }
  std::erase_if(state_->groups, [](const auto& entry) { return entry.second.parts.empty(); });
}

SourceFilter UpstreamMemberships::joined(unsigned interface_index, const IpAddress& group) const {
  const auto at = state_->groups.find({interface_index, group});
  return at == state_->groups.end() ? SourceFilter{} : at->second.filter;
}

std::map<IpAddress, SourceFilter> UpstreamMemberships::joined(unsigned interface_index) const {
  std::map<IpAddress, SourceFilter> out;
  for (const auto& [at, group] : state_->groups) {
    if (at.interface_index == interface_index) {
      out.emplace(at.group, group.filter);
    }
  }
  return out;
}

Result<std::size_t, Failure> UpstreamMemberships::report_again(LinkSocket& link, const ReportAs& as) const {
  const auto groups = joined(link.interface_index());
  std::size_t sent = 0;
  for (const auto& [own, version] :
       {std::pair(as.own_ip4, as.igmp_version), std::pair(as.own_ip6, as.mld_version)}) {
    if (!own) {
      continue;
    }
    for (const Buffer& packet : wire::encode_state_report(groups, *own, version)) {
      if (auto done = link.send(packet); !done) {
        return done.error();
      }
      ++sent;
    }
  }
  return sent;
}

std::size_t UpstreamMemberships::sockets() const { return state_->holders.size(); }

}  // namespace hearthcast::linux
