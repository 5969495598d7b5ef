#include "tunnelmgr/linux/upstream_memberships.hpp"

#include <algorithm>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/spread_memberships.hpp"
#include "tunnelmgr/wire/state_report.hpp"

namespace hearthcast::linux {
namespace {

bool can_be_joined(const IpAddress& group, const SourceFilter& filter) {
  return group.is_multicast() && !group.is_link_scope_multicast() &&
         std::ranges::all_of(filter.sources, [&](const IpAddress& s) {
           return s.family() == group.family() && !s.is_multicast() && !s.is_unspecified();
         });
}

}  // namespace

struct UpstreamMemberships::State : SpreadMemberships {
  using SpreadMemberships::SpreadMemberships;
};

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
  const int error = state_->bring_to(at, state_->groups()[at], filter);
  return finish(interface_index, group, filter, error);
}

UpstreamMemberships::Answer UpstreamMemberships::finish(unsigned interface_index, const IpAddress& group,
                                                        const SourceFilter& filter, int error) {
  const Membership at{interface_index, group};
  SpreadMemberships::Group& entry = state_->groups()[at];
  if (is_gone(error)) {
    state_->leave(at, entry);
  }
  entry.filter = filter;
  if (error != 0) {  // what holds now, so that asking again has something to do
    entry.filter = {entry.excludes ? FilterMode::kExclude : FilterMode::kInclude, {}};
    for (const SpreadMemberships::Part& part : entry.parts) {
      entry.filter.sources.insert(part.sources.begin(), part.sources.end());
      if (entry.excludes) {
        break;  // others only repeat what the first one does not exclude
      }
    }
  }
  const bool partly = error == 0 && filter.mode == FilterMode::kExclude &&
                      entry.parts.front().sources.size() < filter.sources.size();
  if (entry.parts.empty()) {
    state_->groups().erase(at);
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
  for (auto& [at, group] : state_->groups()) {
    if (at.interface_index == interface_index) {
      state_->leave(at, group);
    }
  }
  std::erase_if(state_->groups(), [](const auto& entry) { return entry.second.parts.empty(); });
}

SourceFilter UpstreamMemberships::joined(unsigned interface_index, const IpAddress& group) const {
  const auto at = state_->groups().find({interface_index, group});
  return at == state_->groups().end() ? SourceFilter{} : at->second.filter;
}

std::map<IpAddress, SourceFilter> UpstreamMemberships::joined(unsigned interface_index) const {
  std::map<IpAddress, SourceFilter> out;
  for (const auto& [at, group] : state_->groups()) {
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

std::size_t UpstreamMemberships::sockets() const { return state_->sockets(); }

}  // namespace hearthcast::linux
