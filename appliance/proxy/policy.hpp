// What may cross which interface: rules, boundaries, source-specific ranges and chosen channels together.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string_view>

#include "appliance/proxy/channel.hpp"
#include "appliance/proxy/counters.hpp"
#include "appliance/proxy/rules.hpp"
#include "appliance/proxy/scope.hpp"
#include "tunnelmgr/base/source_filter.hpp"

namespace hearthcast::proxy {

// What is left of a wish, and why something of it is not.
struct Restricted {
  SourceFilter filter = {};
  std::optional<Drop> dropped = {};
};

class Policy {
 public:
  explicit Policy(const InstanceSettings& settings);
  void choose(std::span<const Channel> channels);
  void choose_like(const Policy& other) { chosen_ = other.chosen_; }

  [[nodiscard]] Restricted for_link(std::string_view downstream, const IpAddress& group,
                                    const SourceFilter& wanted) const;
  [[nodiscard]] Restricted for_tunnel(const IpAddress& group, const SourceFilter& wanted) const;

  [[nodiscard]] bool allows(std::string_view interface, const IpAddress& group,
                            const IpAddress& source) const {
    return !boundaries_.stop(interface, group) && rules_.allows(interface, group, source);
  }
  [[nodiscard]] Reach reach(std::string_view interface, const IpAddress& group) const {
    return boundaries_.stop(interface, group) ? Reach::kNone : rules_.reach(interface, group);
  }

 private:
  [[nodiscard]] Restricted by_rules(std::string_view interface, const IpAddress& group,
                                    SourceFilter wanted) const;

  RuleList rules_;
  Boundaries boundaries_;
  std::vector<Prefix> ssm_ranges_;
  TunnelPolicy tunnels_;
  struct Chosen {
    bool any_source = false;
    AddressSet sources = {};
  };
  std::map<IpAddress, Chosen> chosen_;
};

}  // namespace hearthcast::proxy
