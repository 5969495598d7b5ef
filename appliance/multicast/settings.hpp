// The `[[multicast]]` tables of the box's settings file: instances of the proxy, and how their links are
// served.
//
// Every default is here or in the types that it names. What a single key may hold is checked while it is
// read; what does not fit together, by proxy::check().
#pragma once

#include <string>
#include <vector>

#include "appliance/proxy/settings.hpp"
#include "tunnelmgr/membership/router.hpp"
#include "tunnelmgr/runtime/settings.hpp"

namespace hearthcast::multicast {

// One interface of an instance that differs from its others.
struct LinkSettings {
  std::string interface;
  int igmp_version = 0;  // of queries; 0: the newest
  int mld_version = 0;
  bool fast_leave = false;
  std::uint8_t threshold = 1;
  friend bool operator==(const LinkSettings&, const LinkSettings&) = default;
};

struct InstanceSettings {
  proxy::InstanceSettings proxy;  // but for thresholds, which are in links
  LinkSettings usual = {};        // of downstreams that have no link of their own; its interface is empty
  std::vector<LinkSettings> links = {};
  membership::Timing timing = {};
  membership::Limits limits = {};
  bool trace = false;  // answer multicast traceroute on its downstreams
};

struct MulticastSettings {
  std::vector<InstanceSettings> instances;

  // What the proxy takes.
  [[nodiscard]] proxy::Settings proxy() const;
  // For the router of that family on a downstream interface, as its instance says; the defaults when none has
  // it.
  [[nodiscard]] bool traces(const std::string& interface) const;  // the instance of that downstream does
  [[nodiscard]] membership::RouterSettings router(const std::string& interface, Family family,
                                                  std::size_t mtu) const;
};

// Adds the keys of `[[multicast]]`, bound to `settings`, which must outlive `to`.
void declare(runtime::Settings& to, MulticastSettings& settings);

}  // namespace hearthcast::multicast
