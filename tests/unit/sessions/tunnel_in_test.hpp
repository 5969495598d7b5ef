// The box's end of a device's tunnel in tests: a box with two channels and one device; everything travels
// without loss and without time.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "appliance/sessions/device_tunnel.hpp"
#include "tests/unit/sessions/device_end.hpp"

namespace hearthcast::sessions {

using namespace std::chrono_literals;

inline const FlowKey kNews{*IpAddress::parse("2001:db8::5"), *IpAddress::parse("ff3e::1234"), 5000};
inline const FlowKey kFilm{std::nullopt, *IpAddress::parse("239.1.2.3"), 5004};
constexpr IdentityId kPhone{{7}};

struct TunnelTest : testing::Test {
  TunnelTest() {
    news =
        catalogue
            .apply({.flow = kNews, .rtp = false, .name = "News", .attributes = {{"group-title", "Public"}}})
            ->id;
    film = catalogue.apply({.flow = kFilm, .rtp = true, .name = "Film", .attributes = {}})->id;
    phone = *devices.paired(kPhone, as_bytes("key"), "Phone");
  }
  std::shared_ptr<const access::Access> snapshot() const {
    return std::make_shared<const access::Access>(std::make_shared<const channels::Catalogue>(catalogue),
                                                  std::make_shared<const access::DeviceList>(devices));
  }
  void approve(std::set<ChannelId> granted) {
    ASSERT_TRUE(devices.set_state(phone, access::DeviceState::kApproved));
    (void)devices.set_grants(phone, {.all = false, .channels = std::move(granted)});
  }
  void open() {
    box.emplace(
        kPhone, phone,
        BoxFacts{
            "hearthcast test", "Living room", {"repair"}, InnerPlan(kPhone, *Prefix::parse("10.203.0.0/16"))},
        snapshot(), now);
    run();
  }

  void to_box(const DeviceEnd::Packets& packets) {
    for (const auto& packet : packets) {
      perform(box->on_inner(packet, now));
    }
  }
  void perform(TunnelActions actions) {
    for (auto& action : actions) {
      if (auto* inner = std::get_if<SendInner>(&action)) {
        if (hears) {
          to_box(device.on_gre(inner->gre, now));
        }
      } else if (std::holds_alternative<WatchingChanged>(action)) {
        ++changes;
      } else if (const auto* close = std::get_if<CloseTunnel>(&action)) {
        closed.push_back(close->reason);
      }
    }
  }
  void run() {  // what is due now
    for (int i = 0; i < 100 && box->next_deadline() <= now; ++i) {
      perform(box->on_deadline(now));
    }
    ASSERT_GT(box->next_deadline(), now);
  }
  void pass(Duration duration) {
    const Time end = now + duration;
    for (Time next = std::min(box->next_deadline(), device.next_deadline()); next <= end;
         next = std::min(box->next_deadline(), device.next_deadline())) {
      now = std::max(now, next);
      to_box(device.on_deadline(now));
      run();
    }
    now = end;
  }
  void hello(std::uint64_t revision = 0) {
    to_box(device.say(tunnel::DeviceHello{.software = "test", .name = "Phone", .channels_revision = revision},
                      now));
  }

  channels::Catalogue catalogue;
  access::DeviceList devices;
  ChannelId news, film;
  DeviceId phone;
  Time now{1h};
  std::optional<DeviceTunnel> box;
  DeviceEnd device;
  bool hears = true;
  int changes = 0;
  std::vector<std::string> closed;
};

}  // namespace hearthcast::sessions
