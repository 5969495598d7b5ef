#include <algorithm>
#include <set>

#include "appliance/proxy/settings.hpp"

namespace hearthcast::proxy {
namespace {

bool is_multicast(const Prefix& p) {
  static const Prefix ip4 = *Prefix::parse("224.0.0.0/4");
  static const Prefix ip6 = *Prefix::parse("ff00::/8");
  return ip4.contains(p) || ip6.contains(p);
}

// Collects the first complaint about one instance.
class Checker {
 public:
  explicit Checker(const InstanceSettings& instance) : i_(instance) {
    members_.insert(i_.upstreams.begin(), i_.upstreams.end());
    members_.insert(i_.downstreams.begin(), i_.downstreams.end());
  }

  std::optional<Failure> run() {
    interfaces();
    for (const Rule& rule : i_.rules) {
      this->rule(rule);
    }
    for (const Boundary& boundary : i_.boundaries) {
      this->boundary(boundary);
    }
    joins();
    for (const StaticRoute& route : i_.routes) {
      this->route(route);
    }
    numbers();
    return found_;
  }

 private:
  void complain(const std::string& text) {
    if (!found_) {
      found_ = Failure{"Multicast instance " + i_.name + ": " + text};
    }
  }

  void known(const std::string& name, const std::string& where) {
    if (!members_.contains(name)) {
      complain(where + " names " + name +
               ", which is no interface of this instance. Add it to upstreams or downstreams.");
    }
  }

  void group(const Prefix& prefix, const std::string& where) {
    if (!is_multicast(prefix)) {
      complain(where + ": " + prefix.to_string() +
               " is no multicast group or range of groups (224.0.0.0/4, ff00::/8).");
    } else if (prefix.address.is_link_scope_multicast()) {
      complain(where + ": " + prefix.to_string() + " never leaves a link. Take a group of a larger scope.");
    }
  }

  void source(const Prefix& prefix, const std::optional<Prefix>& of_group, const std::string& where) {
    if (is_multicast(prefix)) {
      complain(where + ": the source " + prefix.to_string() +
               " is a group. Give a sender's address or prefix.");
    } else if (of_group && of_group->family() != prefix.family()) {
      complain(where + ": group " + of_group->to_string() + " and source " + prefix.to_string() +
               " are of different IP versions.");
    }
  }

  void interfaces() {
    if (i_.upstreams.empty()) {
      complain("it has no upstream. Name the interface that the provider's television arrives on.");
    }
    if (i_.downstreams.empty() && i_.tunnels == TunnelPolicy::kNone && i_.joins.empty()) {
      complain("it has no downstream. Name an interface, or let it serve tunnels.");
    }
    std::set<std::string> seen;
    for (const auto* list : {&i_.upstreams, &i_.downstreams}) {
      for (const std::string& name : *list) {
        if (name.empty()) {
          complain("an interface has no name.");
        } else if (!seen.insert(name).second) {
          const bool both =
              std::ranges::count(i_.upstreams, name) == 1 && std::ranges::count(i_.downstreams, name) == 1;
          complain(both ? "interface " + name +
                              " is upstream and downstream. What comes in there would go out there again: "
                              "give it one of the two roles."
                        : "interface " + name + " is named twice.");
        }
      }
    }
  }

  void rule(const Rule& rule) {
    if (!rule.interface.empty() && rule.interface != kTunnels) {
      known(rule.interface, "a rule");
    }
    if (rule.group && !is_multicast(*rule.group)) {
      group(*rule.group, "a rule");
    }
    if (rule.source) {
      source(*rule.source, rule.group, "a rule");
    }
  }

  void boundary(const Boundary& boundary) {
    if (boundary.interface != kTunnels) {
      known(boundary.interface, "a boundary");
    }
    for (const Prefix& prefix : boundary.groups) {
      if (!is_multicast(prefix)) {
        group(prefix, "a boundary");
      }
    }
    if (boundary.scope && (*boundary.scope < 3 || *boundary.scope > 14)) {
      complain("a boundary's scope is " + std::to_string(*boundary.scope) +
               "; it can be 3 to 14 (5 is a site, 8 an organization).");
    }
    if (boundary.groups.empty() && !boundary.scope) {
      complain("a boundary at " + boundary.interface + " says neither groups nor a scope.");
    }
  }

  void joins() {
    std::size_t total = 0;
    for (const StaticJoin& join : i_.joins) {
      if (!join.upstream.empty() && std::ranges::find(i_.upstreams, join.upstream) == i_.upstreams.end()) {
        complain("a static join names " + join.upstream + ", which is no upstream of this instance.");
      }
      group(join.group, "a static join");
      if (join.source) {
        source(Prefix::only(*join.source), join.group, "a static join");
      }
      const unsigned free = (join.group.family() == Family::kIp4 ? 32U : 128U) - join.group.length;
      total += free > 20 ? kStaticJoinGroups + 1 : std::size_t{1} << free;
      if (total > kStaticJoinGroups) {
        complain("its static joins are more than " + std::to_string(kStaticJoinGroups) +
                 " groups. Take longer prefixes; listeners are joined without any.");
        return;
      }
    }
  }

  void route(const StaticRoute& route) {
    known(route.from, "a static route");
    if (route.to.empty()) {
      complain("a static route of " + route.group.to_string() +
               " leads nowhere. Name interfaces that it goes to.");
    }
    for (const std::string& name : route.to) {
      known(name, "a static route");
      if (name == route.from) {
        complain("a static route leads from " + name + " back to it.");
      }
    }
    group(route.group, "a static route");
    if (route.source) {
      source(*route.source, route.group, "a static route");
    }
  }

  void numbers() {
    for (const auto& [name, threshold] : i_.thresholds) {
      known(name, "a threshold");
      if (threshold == 0) {
        complain("the threshold of " + name + " is 0; the least is 1.");
      }
    }
    for (const Prefix& range : i_.ssm_ranges) {
      if (!is_multicast(range)) {
        complain("the source-specific range " + range.to_string() + " is no range of groups.");
      }
    }
    if (i_.limits.learned == 0 || i_.limits.negative == 0) {
      complain("a limit of routes is 0; the least is 1.");
    }
  }

  const InstanceSettings& i_;
  std::set<std::string> members_;
  std::optional<Failure> found_;
};

}  // namespace

std::optional<Failure> check(const Settings& settings) {
  std::set<std::string> names;
  std::map<std::string, std::string> owners;  // interface to instance
  std::string tunnels;
  for (const InstanceSettings& instance : settings.instances) {
    if (instance.name.empty()) {
      return Failure{"A multicast instance has no name. Give it one, such as tv."};
    }
    if (!names.insert(instance.name).second) {
      return Failure{"Two multicast instances are called " + instance.name +
                     ". Give each a name of its own."};
    }
    if (auto failure = Checker(instance).run()) {
      return failure;
    }
    for (const auto* list : {&instance.upstreams, &instance.downstreams}) {
      for (const std::string& name : *list) {
        if (const auto [owner, fresh] = owners.emplace(name, instance.name); !fresh) {
          return Failure{"Interface " + name + " belongs to the multicast instances " + owner->second +
                         " and " + instance.name + ". Make them one instance, and let rules choose."};
        }
      }
    }
    if (instance.tunnels != TunnelPolicy::kNone) {
      if (!tunnels.empty()) {
        return Failure{"The multicast instances " + tunnels + " and " + instance.name +
                       " both serve tunnels. One can; its upstreams are chosen by rules."};
      }
      tunnels = instance.name;
    }
  }
  return std::nullopt;
}

}  // namespace hearthcast::proxy
