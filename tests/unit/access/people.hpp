// Devices and channels that the tests of this folder speak about.
#pragma once

#include <string>

#include "appliance/access/access.hpp"

namespace hearthcast::access::testing_people {

inline IdentityId identity(std::uint8_t n) {
  IdentityId id;
  id.digest.fill(n);
  return id;
}

inline Buffer key(std::uint8_t n) { return Buffer(91, n); }

inline channels::Listing listing(std::string name, const char* group, std::uint16_t port,
                                 const char* source = "") {
  channels::Listing l;
  if (*source != '\0') {
    l.flow.source = IpAddress::parse(source).value();
  }
  l.flow.group = IpAddress::parse(group).value();
  l.flow.port = port;
  l.name = std::move(name);
  return l;
}

}  // namespace hearthcast::access::testing_people
