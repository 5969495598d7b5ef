#include "appliance/multicast/settings.hpp"

#include <algorithm>

namespace hearthcast::multicast {
namespace {

using runtime::Settings;
using Assign = std::function<void()>;

const char* const kPrefixForm = R"(an address or a prefix in quotes, as "239.1.0.0/16" or "ff3e::/32")";

std::string text_of(const std::vector<Prefix>& prefixes, std::size_t at) { return prefixes[at].to_string(); }

std::vector<std::string> texts_of(const std::vector<Prefix>& prefixes) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < prefixes.size(); ++at) {
    texts.push_back(text_of(prefixes, at));
  }
  return texts;
}

void prefixes(Settings& row, const char* key, std::vector<Prefix>& variable, const char* meaning) {
  row.parsed_list(key, texts_of(variable), std::string("a list, each ") + kPrefixForm, meaning,
                  [&variable](const std::vector<std::string>& texts) -> std::optional<Assign> {
                    std::vector<Prefix> parsed;
                    for (const std::string& text : texts) {
                      const auto prefix = Prefix::parse(text);
                      if (!prefix) {
                        return std::nullopt;
                      }
                      parsed.push_back(*prefix);
                    }
                    return [&variable, parsed] { variable = parsed; };
                  });
}

// "" stands for all of them.
void any_prefix(Settings& row, const char* key, std::optional<Prefix>& variable, const char* meaning) {
  row.parsed(key, variable ? variable->to_string() : "", std::string(kPrefixForm) + R"(, or "" for all)",
             meaning, [&variable](const std::string& text) -> std::optional<Assign> {
               const auto prefix = Prefix::parse(text);
               if (!prefix && !text.empty()) {
                 return std::nullopt;
               }
               return [&variable, prefix] { variable = prefix; };
             });
}

// A default Prefix, 0.0.0.0/0, stands for one that was not given: groups are multicast.
void group(Settings& row, Prefix& variable, const char* meaning) {
  row.parsed("group", variable == Prefix() ? "" : variable.to_string(), kPrefixForm, meaning,
             [&variable](const std::string& text) -> std::optional<Assign> {
               const auto prefix = Prefix::parse(text);
               if (!prefix) {
                 return std::nullopt;
               }
               return [&variable, prefix] { variable = *prefix; };
             });
}

void any_address(Settings& row, const char* key, std::optional<IpAddress>& variable, const char* meaning) {
  row.parsed(key, variable ? variable->to_string() : "", R"(an address in quotes, or "" for any)", meaning,
             [&variable](const std::string& text) -> std::optional<Assign> {
               const auto address = IpAddress::parse(text);
               if (!address && !text.empty()) {
                 return std::nullopt;
               }
               return [&variable, address] { variable = address; };
             });
}

void verdict(Settings& row, const char* key, proxy::Verdict& variable, const char* meaning) {
  row.parsed(key, variable == proxy::Verdict::kAllow ? "allow" : "deny", R"("allow" or "deny")", meaning,
             [&variable](const std::string& text) -> std::optional<Assign> {
               if (text != "allow" && text != "deny") {
                 return std::nullopt;
               }
               const auto chosen = text == "allow" ? proxy::Verdict::kAllow : proxy::Verdict::kDeny;
               return [&variable, chosen] { variable = chosen; };
             });
}

void tunnels(Settings& row, proxy::TunnelPolicy& variable) {
  using proxy::TunnelPolicy;
  row.parsed(
      "tunnels",
      variable == TunnelPolicy::kNone  ? "none"
      : variable == TunnelPolicy::kAll ? "all"
                                       : "chosen",
      R"("none", "chosen" or "all")",
      "Whether devices away are downstreams, too: \"none\"; \"chosen\": for the channels of the catalogue; "
      "\"all\". One instance at most may have them.",
      [&variable](const std::string& text) -> std::optional<Assign> {
        if (text != "none" && text != "chosen" && text != "all") {
          return std::nullopt;
        }
        const auto chosen = text == "none"  ? TunnelPolicy::kNone
                            : text == "all" ? TunnelPolicy::kAll
                                            : TunnelPolicy::kChosen;
        return [&variable, chosen] { variable = chosen; };
      });
}

void milliseconds(Settings& row, const char* key, std::chrono::milliseconds& variable, std::int64_t least,
                  std::int64_t most, const char* meaning) {
  row.parsed_number(key, variable.count(), least, most, meaning,
                    [&variable](std::int64_t value) { variable = std::chrono::milliseconds(value); });
}

void declare_link(Settings& row, LinkSettings& link) {
  row.number("igmp_version", link.igmp_version, 0, 3,
             "IGMP version of the queries there: 1, 2, 3; 0: the newest. Older ones are for boxes that know "
             "no newer.");
  row.number("mld_version", link.mld_version, 0, 2, "MLD version of the queries there: 1, 2; 0: the newest.");
  row.flag("fast_leave", link.fast_leave,
           "End a stream at once when the last host that is known to want it leaves, before asking whether "
           "there is "
           "another.");
}

void declare_rule(Settings& row, proxy::Rule& rule) {
  verdict(row, "verdict", rule.verdict, "Whether it lets pass.");
  row.text("interface", rule.interface,
           "Up- or downstream interface that it is about; \"\": all; \"/tunnels\": devices away.");
  any_prefix(row, "group", rule.group, "Groups that it is about.");
  any_prefix(row, "source", rule.source, "Sources that it is about.");
}

void declare_boundary(Settings& row, proxy::Boundary& boundary) {
  row.text("interface", boundary.interface, "Where; \"/tunnels\": devices away.");
  prefixes(row, "groups", boundary.groups, "Groups that do not cross it.");
  row.parsed_number(
      "scope", boundary.scope.value_or(0), 0, 14,
      "Nor do IPv6 groups of this scope (their fourth hexadecimal digit) and smaller ones; 0: none.",
      [&boundary](std::int64_t value) {
        boundary.scope = value == 0 ? std::nullopt : std::optional<unsigned>(static_cast<unsigned>(value));
      });
}

void declare_join(Settings& row, proxy::StaticJoin& join) {
  row.text("upstream", join.upstream, "Where; \"\": the one that the rules choose.");
  group(row, join.group, "A group, or a prefix for every group in it.");
  any_address(row, "source", join.source, "From where; \"\": from any source.");
}

void declare_route(Settings& row, proxy::StaticRoute& route) {
  row.text("from", route.from, "Where the packets come in.");
  row.texts("to", route.to, "Where they go out.");
  group(row, route.group, "A group, or a prefix for every group in it.");
  any_prefix(row, "source", route.source, "Sources; \"\": any.");
}

std::string check_group(const char* what, const Prefix& prefix) {
  return prefix == Prefix() || !prefix.address.is_multicast()
             ? std::string(what) + " needs a group, as \"239.1.2.3\" or \"ff3e::/96\""
             : "";
}

void declare_instance(Settings& row, InstanceSettings& instance) {
  proxy::InstanceSettings& p = instance.proxy;
  row.text("name", p.name, "What it is called in status and logs.");
  row.texts("upstream", p.upstreams,
            "Interfaces towards the provider, best first: the first one that is usable and that the rules "
            "allow serves.");
  row.texts("downstream", p.downstreams, "Interfaces towards listeners.");
  tunnels(row, p.tunnels);
  verdict(row, "otherwise", p.otherwise, "What holds where no rule matches.");
  row.flag("send_upstream", p.send_upstream,
           "Forward what hosts at home send to the provider, too. It would see what they announce.");
  prefixes(row, "ssm_ranges", p.ssm_ranges, "Groups that can be had only from a named source (RFC 4607).");
  declare_link(row, instance.usual);
  row.flag(
      "trace", instance.trace,
      "Answer multicast traceroute (RFC 8487), as `hearthcast-mcast trace` asks it, on the downstreams.");
  row.parsed_number(
      "query_interval_s", instance.timing.query_interval.count(), 2, 31744,
      "Seconds between general queries (RFC 3810 section 9.2).",
      [&instance](std::int64_t value) { instance.timing.query_interval = std::chrono::seconds(value); });
  milliseconds(row, "query_response_ms", instance.timing.query_response_interval, 100, 3'174'400,
               "How long hosts may take for an answer; less than the query interval.");
  milliseconds(row, "last_listener_query_ms", instance.timing.last_listener_query_interval, 100, 25'500,
               "Between the questions after a leave: a leave takes robustness times as long.");
  row.number("robustness", instance.timing.robustness, 1, 7, "How many losses in a row are borne.");
  row.number("max_groups", instance.limits.groups, 1, 100'000,
             "Groups of one link and family; more are refused.");
  row.number("max_sources", instance.limits.sources, 1, 10'000, "Sources of one group; more are refused.");
  row.number("max_routes", p.limits.learned, 1, 100'000, "Streams that are forwarded at once.");
  row.number("max_unwanted_routes", p.limits.negative, 1, 100'000,
             "Unwanted streams that are dropped in the kernel.");
  row.tables<LinkSettings>(
      "link", instance.links, "An interface of this instance that is unlike its others.",
      [](Settings& inner, LinkSettings& link) {
        inner.text("interface", link.interface, "Which.");
        declare_link(inner, link);
        inner.number("threshold", link.threshold, 1, 254,
                     "Packets go out there only with a hop limit of more than this (IPv4).");
      },
      [](const LinkSettings& link) {
        return link.interface.empty() ? std::string("a link needs its interface") : std::string();
      },
      LinkSettings{.interface = "eth2", .igmp_version = 2, .mld_version = 1, .fast_leave = true});
  row.tables<proxy::Rule>(
      "rule", p.rules, "What may cross an interface. The first rule that matches decides.", declare_rule, {},
      proxy::Rule{.verdict = proxy::Verdict::kDeny,
                  .interface = "eth1",
                  .group = Prefix::parse("239.255.0.0/16"),
                  .source = {}});
  row.tables<proxy::Boundary>(
      "boundary", p.boundaries,
      "The edge of a scope zone: what lies in it crosses the interface in neither direction.",
      declare_boundary,
      [](const proxy::Boundary& boundary) {
        return boundary.interface.empty() ? std::string("a boundary needs its interface") : std::string();
      },
      proxy::Boundary{.interface = "eth0", .groups = {*Prefix::parse("239.255.0.0/16")}, .scope = 5});
  row.tables<proxy::StaticJoin>(
      "join", p.joins, "Joined though nobody listens.", declare_join,
      [](const proxy::StaticJoin& join) { return check_group("a join", join.group); },
      proxy::StaticJoin{.upstream = "", .group = *Prefix::parse("239.1.2.3"), .source = {}});
  row.tables<proxy::StaticRoute>(
      "route", p.routes, "Forwarded though nobody listens.", declare_route,
      [](const proxy::StaticRoute& route) {
        if (route.from.empty() || route.to.empty()) {
          return std::string("a route needs from and to");
        }
        return check_group("a route", route.group);
      },
      proxy::StaticRoute{.from = "eth0", .to = {"eth1"}, .group = *Prefix::parse("ff3e::/96"), .source = {}});
}

InstanceSettings example() {
  InstanceSettings instance;
  instance.proxy.name = "tv";
  instance.proxy.upstreams = {"eth0"};
  instance.proxy.downstreams = {"eth1", "eth2"};
  return instance;
}

std::string check_instance(const InstanceSettings& instance) {
  if (instance.proxy.name.empty()) {
    return "an instance needs a name";
  }
  if (instance.timing.query_response_interval >= instance.timing.query_interval) {
    return "query_response_ms has to be less than query_interval_s";
  }
  return "";
}

}  // namespace

proxy::Settings MulticastSettings::proxy() const {
  proxy::Settings all;
  for (const InstanceSettings& instance : instances) {
    all.instances.push_back(instance.proxy);
    all.instances.back().loop_lifetime = instance.timing.multicast_address_listening_interval();
    for (const LinkSettings& link : instance.links) {
      all.instances.back().thresholds[link.interface] = link.threshold;
    }
  }
  return all;
}

bool MulticastSettings::traces(const std::string& interface) const {
  return std::ranges::any_of(instances, [&](const InstanceSettings& each) {
    return each.trace && std::ranges::find(each.proxy.downstreams, interface) != each.proxy.downstreams.end();
  });
}

membership::RouterSettings MulticastSettings::router(const std::string& interface, Family family,
                                                     std::size_t mtu) const {
  membership::RouterSettings settings;
  settings.family = family;
  settings.packet_size = std::max<std::size_t>(mtu, family == Family::kIp4 ? 576 : 1280);
  const auto found = std::ranges::find_if(instances, [&](const InstanceSettings& each) {
    const auto& own = each.proxy.downstreams;
    return std::ranges::find(own, interface) != own.end();
  });
  if (found == instances.end()) {
    return settings;
  }
  const auto own = std::ranges::find(found->links, interface, &LinkSettings::interface);
  const LinkSettings& link = own == found->links.end() ? found->usual : *own;
  settings.timing = found->timing;
  settings.limits = found->limits;
  settings.querier_version = family == Family::kIp4 ? link.igmp_version : link.mld_version;
  settings.fast_leave = link.fast_leave;
  settings.ssm_ranges = found->proxy.ssm_ranges;
  return settings;
}

void declare(Settings& to, MulticastSettings& settings) {
  to.tables<InstanceSettings>("multicast", settings.instances,
                              "One multicast proxy (RFC 4605): brings groups from the provider to listeners "
                              "on networks at home. Needs "
                              "hearthcast-netd, or the rights to forward multicast.",
                              declare_instance, check_instance, example());
}

}  // namespace hearthcast::multicast
