// How far a group reaches, which sources may be forwarded at all, and where scope zones end (RFC 4007, RFC
// 2365).
#pragma once

#include <string_view>
#include <vector>

#include "appliance/proxy/settings.hpp"

namespace hearthcast::proxy {

// The scop field of an IPv6 group (RFC 4291 section 2.7); nullopt for IPv4, whose scopes are prefixes.
[[nodiscard]] std::optional<unsigned> scope_of(const IpAddress& group);

// A unicast address that means the same on both sides of a router.
[[nodiscard]] bool is_forwardable_source(const IpAddress& source);

class Boundaries {
 public:
  explicit Boundaries(std::vector<Boundary> boundaries) : boundaries_(std::move(boundaries)) {}

  // `interface`: a name, or kTunnels. A zone lies within those of larger scopes, so the edge of one is the
  // edge of all smaller ones too (RFC 4007 section 5).
  [[nodiscard]] bool stop(std::string_view interface, const IpAddress& group) const;

 private:
  std::vector<Boundary> boundaries_;
};

}  // namespace hearthcast::proxy
