#include "appliance/proxy/member.hpp"

#include <algorithm>

namespace hearthcast::proxy {

std::optional<unsigned> Member::on_link(const IpAddress& address) const {
  std::optional<unsigned> longest;
  for (const InterfaceAddress& own : addresses) {
    if (own.address.family() == address.family() && !own.address.is_link_local() &&
        own.prefix > longest.value_or(0) && Prefix::of(own.address, own.prefix).contains(address)) {
      longest = own.prefix;
    }
  }
  return longest;
}

Members::Members(const InstanceSettings& settings) {
  const auto add = [&](const std::string& name, Role role) {
    const auto threshold = settings.thresholds.find(name);
    members_.push_back(
        {.name = name,
         .role = role,
         .threshold = threshold == settings.thresholds.end() ? std::uint8_t{1} : threshold->second});
  };
  for (const std::string& name : settings.upstreams) {
    add(name, Role::kUpstream);
  }
  for (const std::string& name : settings.downstreams) {
    add(name, Role::kDownstream);
  }
}

Member* Members::find(InterfaceIndex index) { return const_cast<Member*>(std::as_const(*this).find(index)); }

const Member* Members::find(InterfaceIndex index) const {
  const auto at =
      std::ranges::find_if(members_, [&](const Member& m) { return m.present() && m.index == index; });
  return at == members_.end() ? nullptr : &*at;
}

const Member* Members::find(std::string_view name) const {
  const auto at = std::ranges::find(members_, name, &Member::name);
  return at == members_.end() ? nullptr : &*at;
}

const Member* Members::on_link(const IpAddress& source) const {
  const Member* best = nullptr;
  unsigned longest = 0;
  for (const Member& member : members_) {
    const auto length = member.present() ? member.on_link(source) : std::nullopt;
    if (length && *length > longest) {
      longest = *length;
      best = &member;
    }
  }
  return best;
}

}  // namespace hearthcast::proxy
