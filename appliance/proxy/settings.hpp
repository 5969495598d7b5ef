// What an owner says about multicast: instances with their interfaces, rules, boundaries, static joins and
// routes.
//
// Plain values; whoever reads the file fills them. check() says in words what is wrong with them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::proxy {

enum class Verdict : std::uint8_t { kAllow, kDeny };

// Stands in Rule::interface and Boundary::interface for every tunnel. No interface can be called so: the
// kernel allows no slash in a name.
inline constexpr std::string_view kTunnels = "/tunnels";

// May this group, from this source, cross this interface? On a downstream: be listened to and forwarded; on
// an upstream: be joined and accepted there. Of a list of rules the first that matches decides.
struct Rule {
  Verdict verdict = Verdict::kAllow;
  std::string interface = {};         // empty: every interface and tunnel
  std::optional<Prefix> group = {};   // nullopt: every group
  std::optional<Prefix> source = {};  // nullopt: every source
  friend bool operator==(const Rule&, const Rule&) = default;
};

// The edge of a scope zone (RFC 4007 section 5, RFC 2365): what lies in it crosses the interface in neither
// direction.
struct Boundary {
  std::string interface;
  std::vector<Prefix> groups = {};     // such as 239.255.0.0/16
  std::optional<unsigned> scope = {};  // IPv6 groups of this scop value and all smaller ones
  friend bool operator==(const Boundary&, const Boundary&) = default;
};

// Joined upstream although nobody listens.
struct StaticJoin {
  std::string upstream = {};  // empty: the one that the rules choose
  Prefix group;               // at most kStaticJoinGroups addresses
  std::optional<IpAddress> source = {};
  friend bool operator==(const StaticJoin&, const StaticJoin&) = default;
};
inline constexpr std::size_t kStaticJoinGroups = 1024;  // of one instance, all its static joins together

// Forwarded although nobody listens. A single group and source becomes a route at once, a single group from
// any source too where the kernel has such routes; others when their first packet comes.
struct StaticRoute {
  std::string from;
  std::vector<std::string> to;  // interfaces of the instance, upstreams too
  Prefix group;
  std::optional<Prefix> source = {};  // nullopt: any
  friend bool operator==(const StaticRoute&, const StaticRoute&) = default;
};

enum class TunnelPolicy : std::uint8_t {
  kNone,    // tunnels are no downstreams of this instance
  kChosen,  // only channels given to Proxy::on_channels cross into tunnels
  kAll,     // whatever rules and boundaries let pass
};

struct RouteLimits {
  std::size_t learned = 4096;   // routes with outputs that packets brought about
  std::size_t negative = 1024;  // routes without outputs
  friend bool operator==(const RouteLimits&, const RouteLimits&) = default;
};

struct InstanceSettings {
  std::string name;
  std::vector<std::string> upstreams;  // the first one that is usable and allowed by the rules serves
  std::vector<std::string> downstreams;
  TunnelPolicy tunnels = TunnelPolicy::kNone;
  std::vector<Rule> rules = {};
  Verdict otherwise = Verdict::kAllow;  // when no rule matches
  std::vector<Boundary> boundaries = {};
  std::vector<StaticJoin> joins = {};
  std::vector<StaticRoute> routes = {};
  // Packets with a hop limit of this or less do not go out there; 1 where not named.
  std::map<std::string, std::uint8_t> thresholds = {};
  std::vector<Prefix> ssm_ranges = default_ssm_ranges();
  // Whether packets from a downstream go upstream (RFC 4605 section 4.2 says so; a home would tell its
  // provider what it announces inside).
  bool send_upstream = false;
  RouteLimits limits = {};
  // How long a downstream stays shut off after its own query was heard upstream: as long as a membership
  // lasts without a report, in which the box asks several times.
  std::chrono::milliseconds loop_lifetime{260'000};
  friend bool operator==(const InstanceSettings&, const InstanceSettings&) = default;
};

struct Settings {
  std::vector<InstanceSettings> instances;
};

// nullopt when all is well. An interface has one role in one instance: two instances that share one would
// have to share its routing table and its querier, which is what one instance is.
[[nodiscard]] std::optional<Failure> check(const Settings& settings);

}  // namespace hearthcast::proxy
