// A house lives for months: listeners, links, settings and packets change at random, and after every step the
// kernel holds exactly what the naive computation says.
#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "tests/sim/proxy/kernel.hpp"

namespace hearthcast::proxy {
namespace {

using namespace std::chrono_literals;

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
Prefix prefix(std::string_view text) { return *Prefix::parse(text); }

const std::vector<IpAddress> kGroups{ip("239.1.1.1"), ip("239.1.1.2"),    ip("239.255.1.1"),
                                     ip("232.1.1.1"), ip("224.0.0.251"),  ip("ff0e::1"),
                                     ip("ff05::1"),   ip("ff3e::8000:1"), ip("ff02::fb")};
const std::vector<IpAddress> kSources{
    ip("192.0.2.1"),   ip("192.0.2.2"),   ip("203.0.113.1"),   ip("10.1.0.9"),  ip("10.2.0.9"),
    ip("169.254.1.1"), ip("2001:db8::1"), ip("2001:db8:5::1"), ip("fd00:1::9"), ip("fe80::9")};

std::vector<InstanceSettings> variants() {
  InstanceSettings plain{.name = "tv",
                         .upstreams = {"wan", "wan2"},
                         .downstreams = {"lan", "guest"},
                         .tunnels = TunnelPolicy::kAll,
                         .limits = {.learned = 12, .negative = 8}};
  InstanceSettings ruled = plain;
  ruled.rules = {
      {.verdict = Verdict::kDeny, .interface = "wan", .source = prefix("203.0.113.0/24")},
      {.verdict = Verdict::kDeny, .interface = "wan", .source = prefix("2001:db8:5::/48")},
      {.verdict = Verdict::kDeny, .interface = "guest", .group = prefix("239.1.1.2")},
      {.verdict = Verdict::kDeny, .interface = std::string(kTunnels), .source = prefix("192.0.2.2")}};
  ruled.thresholds = {{"guest", 8}};
  InstanceSettings scoped = ruled;
  scoped.tunnels = TunnelPolicy::kChosen;
  scoped.send_upstream = true;
  scoped.boundaries = {{.interface = "wan", .groups = {prefix("239.255.0.0/16")}, .scope = 5},
                       {.interface = "guest", .scope = 8}};
  InstanceSettings fixed = plain;
  fixed.tunnels = TunnelPolicy::kNone;
  fixed.joins = {{.group = prefix("239.1.1.1"), .source = ip("192.0.2.1")},
                 {.upstream = "wan2", .group = prefix("ff0e::1")}};
  fixed.routes = {{.from = "wan", .to = {"lan"}, .group = prefix("239.1.1.1"), .source = prefix("192.0.2.1")},
                  {.from = "lan", .to = {"wan2", "guest"}, .group = prefix("239.1.1.2")},
                  {.from = "guest", .to = {"lan"}, .group = prefix("ff05::/16")}};
  InstanceSettings strict = plain;
  strict.otherwise = Verdict::kDeny;
  strict.downstreams = {"lan"};
  strict.rules = {{.verdict = Verdict::kAllow, .source = prefix("192.0.2.0/24")},
                  {.verdict = Verdict::kAllow, .interface = "lan", .group = prefix("ff00::/8")},
                  {.verdict = Verdict::kAllow, .interface = "wan2", .group = prefix("ff00::/8")}};
  return {plain, ruled, scoped, fixed, strict};
}

class Walk {
 public:
  Walk(unsigned seed, bool any_source_routes)
      : random_(seed),
        naive_{.settings = variants()[0], .any_source_routes = any_source_routes, .sources = kSources},
        proxy_({.instances = {variants()[0]}}, {.any_source_routes = any_source_routes}) {
    naive_.interfaces = {{InterfaceIndex{2}, "wan", true, {{ip("198.51.100.7"), 24}}},
                         {InterfaceIndex{3}, "lan", true, {{ip("10.1.0.1"), 16}, {ip("fd00:1::1"), 64}}},
                         {InterfaceIndex{4}, "guest", true, {{ip("10.2.0.1"), 16}}},
                         {InterfaceIndex{5}, "wan2", true, {{ip("203.0.113.7"), 24}}}};
    tell_interfaces();
  }

  void step() {
    switch (number(20)) {
      case 0:
        change_interface();
        break;
      case 1:
        change_querier();
        break;
      case 2:
        change_settings();
        break;
      case 3:
        tunnel_ends();
        break;
      case 4:
        hear_query();
        break;
      case 5:
        pass(std::chrono::seconds(number(std::size_t{12} * 3600)));
        break;
      case 6:
      case 7:
        pass(std::chrono::seconds(number(120)));
        break;
      case 8:
      case 9:
      case 10:
      case 11:
        packet();
        break;
      default:
        wish();
    }
  }

  void expect_agreement() {
    EXPECT_EQ(kernel_.memberships, naive_.memberships());
    std::size_t negative = 0;
    std::size_t positive = 0;
    const std::set<RouteKey> standing = naive_.standing();
    for (const auto& [key, route] : kernel_.routes) {
      const auto wanted = naive_.route(key);
      if (wanted) {
        EXPECT_EQ(route, *wanted) << key.group.to_string() << " from " << key.source.to_string();
      } else {
        EXPECT_TRUE(route.outputs.empty());
      }
      if (!standing.contains(key) && !(route.outputs.empty() && naive_.tunnels_name(key))) {
        ++(route.outputs.empty() ? negative : positive);
      }
    }
    for (const RouteKey& key : standing) {
      EXPECT_TRUE(kernel_.routes.contains(key))
          << key.group.to_string() << " from " << key.source.to_string();
    }
    EXPECT_LE(negative, naive_.settings.limits.negative);
    EXPECT_LE(positive, naive_.settings.limits.learned);
    EXPECT_GT(proxy_.next_deadline(), now_);
    for (const auto& [at, filter] : kernel_.memberships) {
      EXPECT_FALSE(at.second.is_link_scope_multicast()) << "row 24";
    }
  }

  // Nobody wants anything any more, and the last of time passes.
  void end() {
    for (const auto& [who, filters] : std::map(naive_.wishes)) {
      naive_.wishes.erase(who);
      perform(proxy_.on_downstream_gone(who, now_));
    }
    naive_.settings = variants()[0];
    perform(proxy_.reload({.instances = {variants()[0]}}, now_));
    pass(1h);
    EXPECT_TRUE(kernel_.memberships.empty());
    EXPECT_TRUE(kernel_.routes.empty());
    EXPECT_TRUE(proxy_.status(now_).instances[0].groups.empty());
    EXPECT_EQ(proxy_.next_deadline(), kNever);
  }

  [[nodiscard]] Duration lived() const { return now_ - start_; }
  [[nodiscard]] std::size_t actions() const { return actions_; }

 private:
  std::uint32_t number(std::size_t below) { return static_cast<std::uint32_t>(random_() % below); }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[number(all.size())];
  }

  void perform(const Actions& actions) {
    actions_ += actions.size();
    kernel_.perform(actions);
  }

  void tell_interfaces() {
    // A link that vanished took what it wanted along, and its querier's state.
    std::erase_if(naive_.wishes, [&](const auto& w) {
      return !is_tunnel(w.first) && naive_.name_of(std::get<InterfaceIndex>(w.first)).empty();
    });
    perform(proxy_.on_interfaces(naive_.interfaces, now_));
  }

  void change_interface() {
    static const std::vector<std::string> names{"wan", "lan", "guest", "wan2"};
    const std::string& name = one_of(names);
    const auto at = std::ranges::find(naive_.interfaces, name, &Interface::name);
    if (at == naive_.interfaces.end()) {
      const bool home = name == "lan" || name == "guest";
      naive_.interfaces.push_back(
          {InterfaceIndex{next_index_++},
           name,
           number(4) != 0,
           {{home ? ip(name == "lan" ? "10.1.0.1" : "10.2.0.1") : ip("198.51.100.8"), 16}}});
    } else if (number(3) == 0) {
      naive_.interfaces.erase(at);
      forget_link(name);
    } else if (number(2) == 0) {
      at->up = !at->up;
    } else if (number(3) == 0) {
      at->index = InterfaceIndex{next_index_++};
      forget_link(name);
    } else {
      at->addresses = {{number(2) == 0 ? ip("192.0.2.77") : ip("10.1.0.77"), number(2) == 0 ? 24U : 28U}};
    }
    tell_interfaces();
  }

  void forget_link(const std::string& name) {
    naive_.looped.erase(name);
    looped_until_.erase(name);
    naive_.other_querier.erase({name, Family::kIp4});
    naive_.other_querier.erase({name, Family::kIp6});
  }

  bool is_downstream(const std::string& name) const {
    return std::ranges::count(naive_.settings.downstreams, name) > 0 && naive_.find(name) != nullptr;
  }

  void change_querier() {
    const std::string name = number(2) == 0 ? "lan" : "guest";
    if (!is_downstream(name)) {
      return;
    }
    const Family family = number(2) == 0 ? Family::kIp4 : Family::kIp6;
    const bool self = number(2) == 0;
    if (self) {
      naive_.other_querier.erase({name, family});
    } else {
      naive_.other_querier.insert({name, family});
    }
    perform(proxy_.on_querier(naive_.find(name)->index, family, self,
                              self ? std::nullopt : std::optional(ip("10.1.0.250")), now_));
  }

  void change_settings() {
    if (number(3) == 0) {
      naive_.channels =
          number(2) == 0
              ? std::vector<Channel>{}
              : std::vector<Channel>{{kGroups[0], kSources[0]}, {kGroups[3], kSources[1]}, {kGroups[5]}};
      perform(proxy_.on_channels(naive_.channels, now_));
      return;
    }
    const auto all = variants();
    naive_.settings = one_of(all);
    for (const char* name : {"lan", "guest"}) {
      if (std::ranges::count(naive_.settings.downstreams, name) == 0) {
        if (const Interface* const gone = naive_.find(name)) {
          naive_.wishes.erase(gone->index);
        }
        forget_link(name);
      }
    }
    perform(proxy_.reload({.instances = {naive_.settings}}, now_));
  }

  void tunnel_ends() {
    const PeerId peer{1 + number(4)};
    naive_.wishes.erase(peer);
    perform(proxy_.on_downstream_gone(peer, now_));
  }

  void hear_query() {
    const std::string name = number(2) == 0 ? "lan" : "guest";
    const Interface* const above = naive_.find("wan");
    const Interface* const below = naive_.find(name);
    if (number(8) != 0 || above == nullptr || below == nullptr || below->addresses.empty()) {
      if (above != nullptr) {
        perform(proxy_.on_query(above->index, {ip("198.51.100.254"), 2 + number(2)}, now_));
      }
      return;
    }
    // Its own: every downstream with that address is shut off.
    const IpAddress own = below->addresses[0].address;
    for (const std::string& each : naive_.settings.downstreams) {
      const Interface* const one = naive_.find(each);
      if (one != nullptr && std::ranges::count(one->addresses, own, &InterfaceAddress::address) > 0) {
        naive_.looped.insert(each);
        looped_until_[each] = now_ + 260s;
      }
    }
    perform(proxy_.on_query(above->index, {own, 3}, now_));
  }

  void packet() {
    const auto& key = RouteKey{one_of(kGroups), one_of(kSources)};
    if (key.group.family() != key.source.family() || naive_.interfaces.empty()) {
      return;
    }
    const Interface& input = one_of(naive_.interfaces);
    if (number(4) == 0) {
      perform(proxy_.on_wrong_interface(input.index, key.source, key.group, now_));
      return;
    }
    perform(proxy_.on_data(input.index, key.source, key.group, now_));
    const bool member = std::ranges::count(naive_.settings.upstreams, input.name) +
                            std::ranges::count(naive_.settings.downstreams, input.name) >
                        0;
    EXPECT_EQ(kernel_.routes.contains(key),
              (member || kernel_.routes.contains(key)) && !key.group.is_link_scope_multicast())
        << "every packet's stream is known afterwards, and nothing of link scope";
  }

  void wish() {
    DownstreamId who = PeerId{1 + number(4)};
    if (number(2) == 0) {
      const std::string name = number(2) == 0 ? "lan" : "guest";
      if (!is_downstream(name)) {
        return;
      }
      who = naive_.find(name)->index;
    }
    const IpAddress& group = one_of(kGroups);
    SourceFilter filter;
    filter.mode = number(3) == 0 ? FilterMode::kExclude : FilterMode::kInclude;
    for (std::uint32_t i = number(4); i > 0; --i) {
      if (const IpAddress& source = one_of(kSources); source.family() == group.family()) {
        filter.sources.insert(source);
      }
    }
    if (!group.is_link_scope_multicast()) {
      if (filter.wants_nothing()) {
        naive_.wishes[who].erase(group);
      } else {
        naive_.wishes[who][group] = filter;
      }
    }
    perform(proxy_.on_filter(who, group, filter, now_));
  }

  void pass(Duration time) {
    const Time end = now_ + time;
    while (proxy_.next_deadline() <= end) {
      now_ = proxy_.next_deadline();
      const Actions actions = proxy_.on_deadline(now_);
      for (auto at = looped_until_.begin(); at != looped_until_.end();) {
        if (at->second <= now_) {
          naive_.looped.erase(at->first);
          at = looped_until_.erase(at);
        } else {
          ++at;
        }
      }
      perform(actions);
      for (const auto& [key, route] : kernel_.routes) {
        if (number(3) == 0) {
          proxy_.on_traffic(InstanceId{1}, key, {.packets = ++packets_}, now_);
        }
      }
      ASSERT_GT(proxy_.next_deadline(), now_);
    }
    now_ = end;
  }

  std::mt19937 random_;
  const Time start_ = Time{} + 24h;
  Time now_ = start_;
  Naive naive_;
  Proxy proxy_;
  Kernel kernel_;
  std::map<std::string, Time> looped_until_;
  std::int64_t next_index_ = 100;
  std::uint64_t packets_ = 0;
  std::size_t actions_ = 0;
};

void live(unsigned seed, bool any_source_routes) {
  Walk walk(seed, any_source_routes);
  for (int step = 0; step < 4000; ++step) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(step));
    walk.step();
    walk.expect_agreement();
    if (testing::Test::HasFailure()) {
      return;
    }
  }
  walk.end();
  EXPECT_GT(walk.lived(), 24h * 30);
  EXPECT_GT(walk.actions(), 2000U);
}

class Months : public testing::TestWithParam<unsigned> {};

TEST_P(Months, TheKernelHoldsWhatTheNaiveComputationSays) { live(GetParam(), false); }
TEST_P(Months, SoItDoesWithRoutesOfAnySource) { live(GetParam(), true); }

INSTANTIATE_TEST_SUITE_P(Seeds, Months, testing::Values(1U, 2U, 4605U));

// 1,000 groups with 10 sources each, over 50 tunnels and two links: every wish costs what it changes.
TEST(Scale, AThousandGroupsOverFiftyDownstreams) {
  auto settings = variants()[0];
  settings.limits = {.learned = 1000, .negative = 1000};
  Proxy proxy({.instances = {settings}});
  const Time now = Time{} + 1h;
  (void)proxy.on_interfaces(
      std::vector<Interface>{{InterfaceIndex{2}, "wan", true}, {InterfaceIndex{3}, "lan", true}}, now);
  const auto group = [](std::uint32_t n) { return IpAddress::ip4(0xE8000000U + n); };
  const auto source = [](std::uint32_t n) { return IpAddress::ip4(0x0A000001U + n); };
  std::size_t told = 0;
  for (std::uint32_t g = 0; g < 1000; ++g) {
    SourceFilter filter;
    for (std::uint32_t s = 0; s < 10; ++s) {
      filter.sources.insert(source(s));
      told += proxy.on_filter(PeerId{1 + g % 50}, group(g), filter, now).size();
    }
  }
  EXPECT_EQ(told, 10'000U) << "one change upstream each";
  EXPECT_EQ(proxy.on_filter(PeerId{51}, group(7), {FilterMode::kInclude, {source(3)}}, now).size(), 0U);
  EXPECT_EQ(proxy.on_filter(InterfaceIndex{3}, group(7), {FilterMode::kInclude, {source(3)}}, now).size(), 1U)
      << "its route, and nothing else";
  EXPECT_EQ(proxy.status(now).instances[0].groups.size(), 1000U);
  std::size_t left = 0;
  for (std::int64_t peer = 1; peer <= 51; ++peer) {
    left += proxy.on_downstream_gone(PeerId{peer}, now).size();
  }
  EXPECT_EQ(left, 1000U) << "the link keeps its source";
}

}  // namespace
}  // namespace hearthcast::proxy
