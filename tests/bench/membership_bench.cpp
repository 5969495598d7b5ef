// The multicast proxy's state at the size of a large house: 1,000 groups with 10 sources each, wanted over 50
// tunnels. What it takes in memory, what a second of steady state costs, and whether a storm of 10,000
// reports a second loses anything. Virtual time: the routers' timers run as they would. Usage:
// membership_bench FOLDER
#include <malloc.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <stdexcept>

#include "appliance/proxy/proxy.hpp"
#include "tests/bench/report.hpp"
#include "tunnelmgr/membership/router.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace {

using namespace hearthcast;
using namespace std::chrono_literals;

constexpr int kTunnels = 50;
constexpr int kGroups = 1000;
constexpr int kSources = 10;
constexpr int kGroupsOfOne = kGroups / kTunnels;
constexpr unsigned kUpstream = 2;
const IpAddress kDevice = *IpAddress::parse("fe80::2");

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double megabytes_in_use() {
  const auto use = ::mallinfo2();
  return static_cast<double>(use.uordblks + use.hblkhd) / 1e6;
}

IpAddress address(std::initializer_list<std::uint8_t> head, std::uint16_t tail) {
  std::array<std::uint8_t, 16> octets{};
  std::copy(head.begin(), head.end(), octets.begin());
  octets[14] = static_cast<std::uint8_t>(tail >> 8);
  octets[15] = static_cast<std::uint8_t>(tail);
  return *IpAddress::from_bytes(octets);
}
IpAddress group(int number) {
  return address({0xFF, 0x3E, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80}, static_cast<std::uint16_t>(number));
}
IpAddress source(int number) { return address({0x20, 0x01, 0x0D, 0xB8}, static_cast<std::uint16_t>(number)); }

proxy::Settings settings() {
  proxy::InstanceSettings instance{.name = "tv", .upstreams = {"up0"}, .downstreams = {}};
  instance.tunnels = proxy::TunnelPolicy::kAll;
  return {{instance}};
}

// The plane's inner parts: a router for each tunnel, and one proxy.
class House {
 public:
  explicit House(Time now) : proxy_(settings()) {
    const std::array links{
        proxy::Interface{.index = proxy::InterfaceIndex{kUpstream},
                         .name = "up0",
                         .up = true,
                         .addresses = {{source(1), 64}, {*IpAddress::parse("fe80::1"), 64}}}};
    perform(proxy_.on_interfaces(links, now));
    membership::RouterSettings router;
    router.timing = membership::tunnel_timing();
    router.limits = {.groups = kGroupsOfOne, .sources = kSources, .listeners = 1};
    router.tracking = membership::Tracking::kPointToPoint;
    for (int i = 0; i < kTunnels; ++i) {
      routers_.emplace_back(router, *IpAddress::parse("fe80::1"), now);
    }
  }
  void report(int tunnel, const Buffer& packet, Time now) {
    take(tunnel, routers_[static_cast<std::size_t>(tunnel)].on_packet(packet, now), now);
  }
  // Runs every deadline up to `end`; a device answers each general query with all that it wants.
  void run(Time from, Time end, const std::vector<Buffer>& answers) {
    for (Time now = from; (now = next_deadline()) <= end;) {
      for (int i = 0; i < kTunnels; ++i) {
        auto& router = routers_[static_cast<std::size_t>(i)];
        if (router.next_deadline() <= now) {
          const auto asked = router.counters().general_queries_sent;
          take(i, router.on_deadline(now), now);
          if (router.counters().general_queries_sent != asked && !answers.empty()) {
            report(i, answers[static_cast<std::size_t>(i)], now);
          }
        }
      }
      perform(proxy_.on_deadline(now));
    }
  }
  [[nodiscard]] std::size_t joined() const { return joined_; }  // (group, source) pairs that the upstream has
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

 private:
  [[nodiscard]] Time next_deadline() const {
    Time next = proxy_.next_deadline();
    for (const auto& router : routers_) {
      next = std::min(next, router.next_deadline());
    }
    return next;
  }
  void take(int tunnel, const membership::Actions& actions, Time now) {
    for (const auto& action : actions) {
      if (const auto* changed = std::get_if<membership::FilterChanged>(&action)) {
        perform(proxy_.on_filter(PeerId{tunnel + 1}, changed->group, changed->now, now));
      }
    }
  }
  void perform(const proxy::Actions& actions) {
    for (const auto& action : actions) {
      if (const auto* set = std::get_if<proxy::SetUpstreamFilter>(&action)) {
        ++changes_;
        auto& count = upstream_[set->group];
        joined_ += set->filter.sources.size();
        joined_ -= count;
        count = set->filter.sources.size();
      }
    }
  }

  proxy::Proxy proxy_;
  std::vector<membership::Router> routers_;
  std::map<IpAddress, std::size_t> upstream_;
  std::size_t joined_ = 0;
  std::uint64_t changes_ = 0;
};

Buffer packet_of(int first_group, int groups, wire::RecordType type, int sources = kSources) {
  wire::MembershipReport report;
  for (int i = 0; i < groups; ++i) {
    wire::GroupRecord record{type, group(first_group + i)};
    for (int s = 0; s < sources; ++s) {
      record.sources.push_back(source(100 + s));
    }
    report.records.push_back(std::move(record));
  }
  return wire::encode_membership_packet({kDevice, wire::kAllMld2Routers, report});
}

std::vector<Buffer> all_packets(wire::RecordType type) {
  std::vector<Buffer> packets;
  packets.reserve(kTunnels);
  for (int i = 0; i < kTunnels; ++i) {
    packets.push_back(packet_of(i * kGroupsOfOne, kGroupsOfOne, type));
  }
  return packets;
}

void require(bool condition, const char* what) {
  if (!condition) {
    throw std::runtime_error(what);
  }
}

constexpr std::size_t kAll = std::size_t{kGroups} * kSources;

void measure(bench::Report& report) {
  const auto joins = all_packets(wire::RecordType::kAllowNewSources);
  const auto answers = all_packets(wire::RecordType::kModeIsInclude);
  bench::Samples memory, steady, storm;
  for (int round = 0; round < 5; ++round) {
    Time now = Time{} + 1000s;
    House house(now);
    const double idle = megabytes_in_use();
    for (int i = 0; i < kTunnels; ++i) {
      house.report(i, joins[static_cast<std::size_t>(i)], now);
    }
    require(house.joined() == kAll, "not every group and source was joined");
    memory.add(megabytes_in_use() - idle);

    constexpr auto kSteady = 600s;
    const auto changes = house.changes();
    double begin = cpu_seconds();
    house.run(now, now + kSteady, answers);
    steady.add((cpu_seconds() - begin) / std::chrono::duration<double>(kSteady).count() * 100);
    require(house.joined() == kAll && house.changes() == changes, "steady state did not stay");

    // Ten seconds of 10,000 reports a second: each lets half of a group's sources go, or takes them again.
    // What was wanted at the end is what must be joined.
    now += kSteady;
    constexpr int kReports = 100'000;
    std::vector<Buffer> fewer, again;
    for (int i = 0; i < kGroups; ++i) {
      fewer.push_back(packet_of(i, 1, wire::RecordType::kChangeToInclude, kSources / 2));
      again.push_back(packet_of(i, 1, wire::RecordType::kChangeToInclude));
    }
    begin = cpu_seconds();
    for (int n = 0; n < kReports; ++n) {
      const int number = n % kGroups;
      house.report(number / kGroupsOfOne,
                   (n / kGroups % 2 == 0 ? fewer : again)[static_cast<std::size_t>(number)], now + n * 100us);
    }
    storm.add((cpu_seconds() - begin) / 10 * 100);
    require(house.joined() == kAll, "the storm lost state");
  }
  report.row_at_most("memory_over_idle", memory, "MB", 20);
  report.row_at_most("steady_state", steady, "% core", 5);
  report.row_at_most("storm_of_10000_reports", storm, "% core", 100);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("membership");
  report.note(
      "state",
      "1000 groups with 10 sources each over 50 tunnels, MLDv2; one group in each report of the storm");
  try {
    measure(report);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "membership_bench: %s\n", error.what());
    return 2;
  }
  return report.finish(argc > 1 ? argv[1] : ".") ? 0 : 1;
}
