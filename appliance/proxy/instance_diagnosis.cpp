// A diagnosis in words: what is wrong, and what to do.
#include <algorithm>

#include "appliance/proxy/diagnosis.hpp"
#include "appliance/proxy/instance.hpp"

namespace hearthcast::proxy {
namespace {

std::string seconds(Time since, Time now) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - since).count()) + " s";
}

const char* version_of(Family family) { return family == Family::kIp4 ? "IPv4" : "IPv6"; }

// Adds findings of one kind: the first few each, the rest as a number.
class Several {
 public:
  Several(std::vector<Diagnosis>& out, Finding finding) : out_(out), finding_(finding) {}
  Several(const Several&) = delete;
  Several& operator=(const Several&) = delete;
  ~Several() {
    if (count_ > kShownFindings) {
      out_.push_back(
          {finding_, "The same holds for " + std::to_string(count_ - kShownFindings) + " more groups."});
    }
  }
  void add(std::string text) {
    if (++count_ <= kShownFindings) {
      out_.push_back({finding_, std::move(text)});
    }
  }

 private:
  std::vector<Diagnosis>& out_;
  Finding finding_;
  std::size_t count_ = 0;
};

}  // namespace

void Instance::diagnose_interfaces(std::vector<Diagnosis>& found, Time now) const {
  for (const Member& member : members_.all()) {
    if (member.index == InterfaceIndex{}) {
      found.push_back({Finding::kInterfaceMissing,
                       "There is no interface " + member.name + " now. It is used as soon as it appears."});
    } else if (member.no_room) {
      found.push_back({Finding::kRefused, "Interface " + member.name + " is left out: a kernel table holds " +
                                              std::to_string(capabilities_.table_interfaces) +
                                              " interfaces. Move some to another instance."});
    } else if (!member.refused.empty()) {
      found.push_back({Finding::kRefused, "Interface " + member.name + " cannot be used: " + member.refused});
    } else if (member.role == Role::kUpstream) {
      diagnose_upstream(member, found, now);
    } else {
      diagnose_downstream(member, found, now);
    }
  }
  if (wrong_ && now - wrong_->at <= kSightingLifetime) {
    const Member* const where = members_.find(wrong_->input);
    found.push_back(
        {Finding::kWrongInterface, "Packets of " + wrong_->key.source.to_string() + " to " +
                                       wrong_->key.group.to_string() + " come in on " +
                                       (where != nullptr ? where->name : std::string("another interface")) +
                                       ", where that source is not expected; they are dropped."});
  }
}

void Instance::diagnose_upstream(const Member& member, std::vector<Diagnosis>& found, Time now) const {
  if (!member.up) {
    found.push_back(
        {Finding::kUpstreamDown,
         "Interface " + member.name + " has no link, so nothing comes from the provider. Check its cable."});
  }
  for (const Family family : {Family::kIp4, Family::kIp6}) {
    const auto quiet = member.watch.quiet_since(family);
    if (member.usable() && quiet && now - *quiet >= kQuietProvider) {
      found.push_back(
          {Finding::kNoQuery, "No query seen from the provider on " + member.name + " (" +
                                  version_of(family) + ") for " + seconds(*quiet, now) +
                                  ". If streams stop after some minutes, a switch on the way needs a "
                                  "querier. What is joined is reported again every " +
                                  std::to_string(kReportInterval.count()) + " s."});
    }
    const QuerierStatus querier = member.watch.status(family, now);
    if (querier.older) {
      found.push_back(
          {Finding::kOlderQuerier,
           "The provider's querier on " + member.name + " speaks " +
               (family == Family::kIp4 ? "IGMPv" : "MLDv") + std::to_string(querier.version) +
               ": source filters are lost there, and source-specific joins become joins of whole groups."});
    }
  }
}

void Instance::diagnose_downstream(const Member& member, std::vector<Diagnosis>& found, Time now) const {
  if (member.shut_off()) {
    found.push_back(
        {Finding::kLoop,
         "Interface " + member.name + " is one network with the upstream: " +
             (member.looped ? "this box heard its own queries there"
                            : "this machine itself joins them, by a bridge or a MACVLAN for example") +
             ". Nothing is forwarded to it until that ends."});
  }
  for (const Family family : {Family::kIp4, Family::kIp6}) {
    const auto side = static_cast<std::size_t>(family);
    const auto& other = member.other_querier[side];
    if (!member.usable() || !other) {
      continue;
    }
    found.push_back({Finding::kOtherQuerier, "Two routers on " + member.name + ": the other one (" +
                                                 other->to_string() + ") is " +
                                                 (family == Family::kIp4 ? "IGMP" : "MLD") +
                                                 " querier, and forwards there; this box does not."});
    for (const Member& upstream : members_.all()) {
      if (upstream.role == Role::kUpstream && same_router(upstream, member, family, now)) {
        found.push_back({Finding::kSameRouter, "The querier " + other->to_string() + " is heard on " +
                                                   upstream.name + " and on " + member.name +
                                                   ". Are the two one network?"});
      }
    }
  }
}

void Instance::diagnose_groups(std::vector<Diagnosis>& found, Time now) const {
  Several no_upstream(found, Finding::kNoUpstream);
  for (const auto& [group, state] : groups_) {
    if (state.told.empty() && !state.merge.empty()) {
      no_upstream.add("Group " + group.to_string() + " is wanted, and no upstream is there to bring it.");
    }
  }
  Several silent(found, Finding::kNoPackets);
  Several other(found, Finding::kOtherSource);
  for (const auto& [group, state] : groups_) {
    const Time since = state.since.value_or(now);
    if (state.told.empty() || now - since < kPatience) {
      continue;
    }
    const SourceFilter merged = state.merge.merged();
    std::optional<Time> moved;
    std::optional<IpAddress> stranger;
    for (auto at = routes_.begin_of(group); at != routes_.all().end() && at->first.group == group; ++at) {
      const Route& route = at->second;
      if (!route.moved) {
        continue;
      }
      if (at->first.source.is_unspecified() || merged.admits(at->first.source)) {
        moved = std::max(moved.value_or(*route.moved), *route.moved);
      } else if (now - *route.moved <= kSightingLifetime) {
        stranger = at->first.source;
      }
    }
    for (const auto& [source, flow] : state.flows) {
      if (flow.moved) {
        moved = std::max(moved.value_or(*flow.moved), *flow.moved);
      }
    }
    if (moved && now - *moved < kPatience) {
      continue;
    }
    if (stranger) {
      other.add("Group " + group.to_string() + ": packets arrive, but from another source (" +
                stranger->to_string() + "), and " + merged.to_string() + " is asked for.");
    } else if (moved) {
      silent.add("Group " + group.to_string() + ": joined, but no packets arrive for " +
                 seconds(*moved, now) + ".");
    } else {
      silent.add("Group " + group.to_string() + ": joined " + seconds(since, now) +
                 " ago, but no packets arrive.");
    }
  }
}

}  // namespace hearthcast::proxy
