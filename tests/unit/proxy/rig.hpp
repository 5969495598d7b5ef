// A proxy with a small house around it: provider links wan and wan2, home links lan and guest, and tunnels.
// Verbs for tests, and what came of them.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "appliance/proxy/proxy.hpp"

namespace hearthcast::proxy {

using namespace std::chrono_literals;

inline IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
inline Prefix prefix(std::string_view text) { return *Prefix::parse(text); }
inline SourceFilter include(AddressSet sources) { return {FilterMode::kInclude, std::move(sources)}; }
inline SourceFilter exclude(AddressSet sources) { return {FilterMode::kExclude, std::move(sources)}; }
inline SourceFilter any() { return SourceFilter::any_source(); }

inline constexpr InterfaceIndex kWan{2}, kLan{3}, kGuest{4}, kWan2{5};
inline const IpAddress kGroup = ip("239.1.1.1");
inline const IpAddress kOther = ip("239.1.1.2");
inline const IpAddress kSource = ip("192.0.2.1");
inline const IpAddress kSource2 = ip("192.0.2.2");

inline Interface wan() { return {kWan, "wan", true, {{ip("198.51.100.7"), 24}, {ip("fe80::2"), 64}}}; }
inline Interface lan() { return {kLan, "lan", true, {{ip("10.1.0.1"), 16}, {ip("fe80::3"), 64}}}; }
inline Interface guest() { return {kGuest, "guest", true, {{ip("10.2.0.1"), 16}, {ip("fe80::4"), 64}}}; }
inline Interface wan2() { return {kWan2, "wan2", true, {{ip("203.0.113.7"), 24}}}; }
inline std::vector<Interface> house() { return {wan(), lan(), guest(), wan2()}; }

inline InstanceSettings tv() {
  return {.name = "tv", .upstreams = {"wan"}, .downstreams = {"lan", "guest"}, .tunnels = TunnelPolicy::kAll};
}

template <class Kind>
std::vector<Kind> of(const Actions& actions) {
  std::vector<Kind> found;
  for (const Action& action : actions) {
    if (const Kind* const one = std::get_if<Kind>(&action)) {
      found.push_back(*one);
    }
  }
  return found;
}

// Where the first action of a kind stands; the size when there is none.
template <class Kind>
std::size_t place_of(const Actions& actions) {
  return static_cast<std::size_t>(
      std::ranges::find_if(actions, [](const Action& a) { return std::holds_alternative<Kind>(a); }) -
      actions.begin());
}

struct Rig {
  explicit Rig(InstanceSettings settings = tv(), Capabilities capabilities = {})
      : proxy({.instances = {std::move(settings)}}, capabilities) {}
  // With every interface there.
  static Rig up(InstanceSettings settings = tv(), Capabilities capabilities = {}) {
    Rig rig(std::move(settings), capabilities);
    static_cast<void>(rig.interfaces(house()));
    return rig;
  }

  Actions interfaces(const std::vector<Interface>& all) { return proxy.on_interfaces(all, now); }
  Actions wish(DownstreamId who, const IpAddress& group, SourceFilter filter) {
    return proxy.on_filter(who, group, std::move(filter), now);
  }
  Actions data(InterfaceIndex input, const IpAddress& source, const IpAddress& group) {
    return proxy.on_data(input, source, group, now);
  }
  // Performs every deadline until then.
  Actions pass(Duration time) {
    const Time end = now + time;
    Actions all;
    while (proxy.next_deadline() <= end) {
      now = std::max(now, proxy.next_deadline());
      Actions some = proxy.on_deadline(now);
      std::ranges::move(some, std::back_inserter(all));
    }
    now = end;
    return all;
  }
  InstanceStatus status() const { return proxy.status(now).instances.at(0); }
  std::uint64_t drops(Drop reason) const { return status().drops.of(reason); }
  std::vector<std::string> findings(Finding finding) const {
    std::vector<std::string> texts;
    for (const Diagnosis& each : status().diagnosis) {
      if (each.finding == finding) {
        texts.push_back(each.text);
      }
    }
    return texts;
  }

  Time now = Time{} + 1h;
  Proxy proxy;
};

inline SetRoute route(const IpAddress& group, const IpAddress& source, InterfaceIndex input,
                      std::vector<RouteOutput> outputs) {
  return {InstanceId{1}, {group, source}, input, std::move(outputs)};
}
inline RemoveRoute no_route(const IpAddress& group, const IpAddress& source, InterfaceIndex input) {
  return {InstanceId{1}, {group, source}, input};
}

}  // namespace hearthcast::proxy
