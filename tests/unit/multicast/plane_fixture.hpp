// A plane on a machine without a kernel: an upstream "wan", downstreams "lan" and "attic".
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "appliance/multicast/plane.hpp"
#include "tests/unit/memory_log.hpp"
#include "tests/unit/multicast/fake_machine.hpp"

namespace hearthcast::multicast {

using namespace std::chrono_literals;
using testing_machine::FakeMachine;
using wire::RecordType;

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }

inline linux::Interface ethernet(unsigned index, const std::string& name, int host) {
  linux::Interface made;
  made.index = index;
  made.name = name;
  made.up = made.running = made.multicast = true;
  made.mtu = 1500;
  made.addresses = {
      {.address = ip(("192.0." + std::to_string(index) + "." + std::to_string(host)).c_str()), .prefix = 24},
      {.address = ip(("fe80::" + std::to_string(index)).c_str()), .prefix = 64}};
  return made;
}

inline Buffer report(const char* from, RecordType type, const char* group, std::vector<IpAddress> sources) {
  const IpAddress source = ip(from);
  return wire::encode_membership_packet(
      {.source = source,
       .destination = source.is_ip4() ? wire::kAllIgmp3Routers : wire::kAllMld2Routers,
       .message = wire::MembershipReport{{{type, ip(group), std::move(sources)}}}});
}

inline MulticastSettings settings_of(const std::string& toml) {
  MulticastSettings settings;
  runtime::Settings keys;
  declare(keys, settings);
  EXPECT_TRUE(keys.read_text(toml, "box.toml"));
  EXPECT_FALSE(proxy::check(settings.proxy()).has_value());
  return settings;
}

inline constexpr const char* kTv =
    "[[multicast]]\nname = \"tv\"\nupstream = [\"wan\"]\ndownstream = [\"lan\", \"attic\"]\n";
inline constexpr const char* kGroup6 = "ff3e::8000:1";
inline constexpr const char* kSource6 = "2001:db8::1";

class PlaneTest : public testing::Test {
 protected:
  void start(const std::string& toml = kTv) {
    plane = std::make_unique<Plane>(machine, log, settings_of(toml));
    interfaces = {ethernet(2, "wan", 5), ethernet(3, "lan", 1), ethernet(4, "attic", 1)};
    plane->on_interfaces(interfaces, now);
    run(60s);  // start-up queries are through
    (void)machine.news();
  }
  // Turns as the timer would.
  void run(Duration span) {
    const Time end = now + span;
    while (machine.wake <= end) {
      now = std::max(now, machine.wake);
      plane->on_deadline(now);
    }
    now = end;
  }
  void join(unsigned index = 3, const char* host = "fe80::99") {
    machine.hear(index, report(host, RecordType::kAllowNewSources, kGroup6, {ip(kSource6)}), now);
  }
  void leave(unsigned index = 3, const char* host = "fe80::99") {
    machine.hear(index, report(host, RecordType::kBlockOldSources, kGroup6, {ip(kSource6)}), now);
  }
  [[nodiscard]] std::vector<unsigned> outputs(const char* group = kGroup6,
                                              const char* source = kSource6) const {
    std::vector<unsigned> out;
    const auto found = machine.routes.find({ip(group), ip(source)});
    for (const auto& output :
         found == machine.routes.end() ? std::vector<linux::RouteOutput>() : found->second.outputs) {
      out.push_back(output.interface_index);
    }
    return out;
  }

  FakeMachine machine;
  MemoryLog log;
  Time now{1h};
  std::vector<linux::Interface> interfaces;
  std::unique_ptr<Plane> plane;
};

}  // namespace hearthcast::multicast
