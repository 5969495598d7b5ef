// One interface of an instance: named by the settings, found by index while it exists.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/proxy/actions.hpp"
#include "appliance/proxy/interface.hpp"
#include "appliance/proxy/settings.hpp"
#include "appliance/proxy/upstream_watch.hpp"
#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::proxy {

struct Member {
  std::string name;
  Role role = Role::kUpstream;
  std::uint8_t threshold = 1;

  InterfaceIndex index = {};  // 0: no interface of that name
  bool added = false;         // AddInterface went out for it
  bool up = false;
  std::vector<InterfaceAddress> addresses = {};
  std::string refused = {};  // by the kernel, and why
  bool no_room = false;      // the table was full

  // Downstream:
  std::array<bool, 2> querier{true, true};  // by Family: this box is
  std::array<std::optional<IpAddress>, 2> other_querier{};
  Time looped_until{};  // own queries were heard upstream
  bool looped = false;
  bool same_link = false;  // as an upstream, inside this machine
  // Upstream:
  UpstreamWatch watch = {};

  [[nodiscard]] bool present() const { return added && refused.empty(); }
  [[nodiscard]] bool usable() const { return present() && up && !shut_off(); }
  [[nodiscard]] bool shut_off() const { return looped || same_link; }
  // Bits of the longest prefix of this link that the address lies in; nullopt: of none. Link-local ones do
  // not count.
  [[nodiscard]] std::optional<unsigned> on_link(const IpAddress& address) const;
};

// The members of an instance, upstreams first, in the order of its settings.
class Members {
 public:
  explicit Members(const InstanceSettings& settings);

  [[nodiscard]] Member* find(InterfaceIndex index);  // nullptr: none, or not present
  [[nodiscard]] const Member* find(InterfaceIndex index) const;
  [[nodiscard]] const Member* find(std::string_view name) const;
  [[nodiscard]] std::vector<Member>& all() { return members_; }
  [[nodiscard]] const std::vector<Member>& all() const { return members_; }
  // Where a packet of this source is expected by its address: the present member with the longest prefix.
  [[nodiscard]] const Member* on_link(const IpAddress& source) const;

 private:
  std::vector<Member> members_;
};

}  // namespace hearthcast::proxy
