#include "appliance/api/host_check.hpp"

#include <algorithm>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::api {

bool names_this_box(std::string_view host, const std::vector<std::string>& names) {
  if (!host.empty() && host.front() == '[') {
    const auto end = host.find(']');
    return end != std::string_view::npos && IpAddress::parse(host.substr(1, end - 1)).has_value();
  }
  host = host.substr(0, host.find(':'));
  if (!host.empty() && host.back() == '.') {
    host.remove_suffix(1);
  }
  std::string name(host);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  // All digits and dots only as an address: "2130706433" is no name that the box goes by.
  return name == "localhost" || IpAddress::parse(name).has_value() ||
         std::ranges::find(names, name) != names.end();
}

}  // namespace hearthcast::api
