#include "tests/sim/seeds/life.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMedia = 160;    // octets of a packet; more would only cost time
constexpr Duration kTcpNotices = 15s;  // that an address is gone which this end does not see itself
constexpr Duration kSettle = 75s;

}  // namespace

Life::Life(Scenario scenario, const Keys& keys, Meddler meddle)
    : scenario_(std::move(scenario)),
      world_(scenario_.seed),
      internet_(world_, scenario_.home, scenario_.networks, scenario_.wires),
      rendezvous_(world_, keys.laptop.id()),
      relay_(world_),
      home_(world_, rendezvous_, keys.box, keys.laptop),
      laptop_(world_, rendezvous_, relay_, keys.laptop, keys.box),
      monitor_(world_, laptop_, relay_),
      meddle_(std::move(meddle)),
      start_(world_.now()) {
  world_.set_observer(&monitor_);
  home_.on_told = [this](const Endpoint& at) { monitor_.on_told_box(at); };
  laptop_.on_told = [this](const Endpoint& at) { monitor_.on_told_laptop(at); };
  laptop_.on_media = [this](std::uint32_t, const Endpoint& from) {
    monitor_.on_media(from);
    watchdog_.on_media(world_.now());
  };
}

Access Life::network_now() const {
  Access access = internet_.network(network_);
  if (family_lost_ == Family::kIp4) {
    access.ip4 = false;
  } else if (family_lost_ == Family::kIp6) {
    access.ip6 = Ip6::kNone;
  }
  return access;
}

bool Life::possible() const {
  const bool introduced = rendezvous_.joined(Side::kBox) && rendezvous_.joined(Side::kLaptop);
  return viewer_away_ == 0 && laptop_absent_ == 0 && home_down_ == 0 && away_down_ == 0 && box_down_ == 0 &&
         (introduced || !needs_rendezvous_) && way_between(internet_.home(), network_now()) != Way::kNone;
}

void Life::place_laptop() {
  if (laptop_absent_ > 0) {
    return;
  }
  internet_.place_laptop(laptop_, network_);
  if (family_lost_) {
    world_.remove_host(laptop_, *family_lost_);
  }
}

void Life::begin(const Event& event) {
  watchdog_.on_event(event.kind, world_.now());
  switch (event.kind) {
    case EventKind::kHomeRenumbered: {
      const bool sees_it = internet_.renumber_home(home_.box());
      if (box_down_ > 0) {
        world_.remove_host(home_.box());
      } else if (sees_it) {
        rendezvous_.break_connection(Side::kBox, {});
        home_.on_network_change();
      } else {
        rendezvous_.break_connection(Side::kBox, kTcpNotices);
      }
      break;
    }
    case EventKind::kHomeRebound:
      internet_.rebind_home();
      break;
    case EventKind::kAwayRebound:
      internet_.rebind_network(network_);
      break;
    case EventKind::kAwayMoves:
      ++laptop_absent_;
      world_.remove_host(laptop_);
      laptop_.on_network_change();
      break;
    case EventKind::kAwayLosesFamily: {
      const Access& access = internet_.network(network_);
      if (!family_lost_ && access.ip4 && access.ip6 != Ip6::kNone) {
        family_lost_ = event.which % 2 == 0 ? Family::kIp4 : Family::kIp6;
        world_.remove_host(laptop_, *family_lost_);
        laptop_.on_network_change();
      }
      break;
    }
    case EventKind::kHomeOutage:
      ++home_down_;
      internet_.set_home_down(home_.box(), true);
      break;
    case EventKind::kAwayOutage:
      if (away_down_++ == 0) {
        away_down_network_ = network_;
        internet_.set_network_down(laptop_, network_, true);
      }
      break;
    case EventKind::kRendezvousOutage:
      if (rendezvous_down_++ == 0) {
        rendezvous_.set_up(false);
      }
      return;  // it disturbs nothing that runs
    case EventKind::kBoxRestarts:
      if (box_down_++ == 0) {
        home_.stop();
      }
      break;
    case EventKind::kLaptopSleeps:
      ++laptop_absent_;
      world_.remove_host(laptop_);
      laptop_.on_network_change();
      break;
    case EventKind::kViewerLeaves:
      if (viewer_away_++ == 0) {
        laptop_.leave();
      }
      break;
    case EventKind::kReplay:
      replay(event);
      return;
  }
  needs_rendezvous_ = needs_rendezvous_ || event.kind != EventKind::kViewerLeaves;
}

void Life::end(const Event& event) {
  switch (event.kind) {
    case EventKind::kAwayMoves:
    case EventKind::kLaptopSleeps:
      if (event.kind == EventKind::kAwayMoves) {
        network_ = (network_ + 1 + event.which % (internet_.networks() - 1)) % internet_.networks();
        family_lost_.reset();
      }
      if (--laptop_absent_ == 0) {
        place_laptop();
        laptop_.on_network_change();
      }
      break;
    case EventKind::kAwayLosesFamily:
      if (std::exchange(family_lost_, std::nullopt) && laptop_absent_ == 0) {
        world_.remove_host(laptop_);
        place_laptop();
        laptop_.on_network_change();
      }
      break;
    case EventKind::kHomeOutage:
      if (--home_down_ == 0) {
        internet_.set_home_down(home_.box(), false);
      }
      break;
    case EventKind::kAwayOutage:
      if (--away_down_ == 0) {
        internet_.set_network_down(laptop_, away_down_network_, false);
      }
      break;
    case EventKind::kRendezvousOutage:
      if (--rendezvous_down_ == 0) {
        rendezvous_.set_up(true);
      }
      break;
    case EventKind::kBoxRestarts:
      if (--box_down_ == 0) {
        restart_box();
      }
      break;
    case EventKind::kViewerLeaves:
      if (--viewer_away_ == 0) {
        laptop_.watch(Home::kFlow);
      }
      break;
    case EventKind::kHomeRenumbered:
    case EventKind::kHomeRebound:
    case EventKind::kAwayRebound:
    case EventKind::kReplay:
      break;
  }
}

void Life::restart_box() {
  monitor_.set_box(home_.box());
  internet_.place_box(home_.box());
  home_.start();
}

// Somebody has seen what went over the core, and sends it again: as from a stranger, from another port of
// the sender, or from the very same.
void Life::replay(const Event& event) {
  for (const auto& datagram : monitor_.recorded(internet_.home_addresses())) {
    Endpoint from = datagram.from;
    if (event.which % 3 == 0) {
      from = *Endpoint::parse(from.address.is_ip4() ? "192.0.2.66:53" : "[2001:db8:66::1]:53");
    } else if (event.which % 3 == 1) {
      from.port = static_cast<std::uint16_t>(from.port ^ 1U);
    }
    for (std::size_t copy = 0; copy < 1 + event.which / 3; ++copy) {
      world_.at(world_.now() + copy * 20ms,
                [this, from, datagram] { world_.inject(from, datagram.to, datagram.bytes); });
    }
  }
}

void Life::tick() {
  const Time now = world_.now();
  if (home_.running()) {
    home_.box().carry(Home::kFlow, kMedia);
  }
  if (meddle_) {
    meddle_(*this);
  }
  watchdog_.set_possible(possible(), now);
  if (watchdog_.healthy(now) && possible()) {
    needs_rendezvous_ = false;
  }
  if (watchdog_.away(now) > kBound) {
    monitor_.violated("no picture for " + std::to_string(watchdog_.away(now) / 1ms) + " ms after " +
                      std::string(to_string(watchdog_.last_event())));
    watchdog_.on_event(watchdog_.last_event(), now);
  }
  verdict_.most_waiting = std::max(verdict_.most_waiting, world_.waiting());
  verdict_.most_sessions =
      std::max({verdict_.most_sessions, home_.box().sessions_kept(), laptop_.sessions_kept()});
  world_.at(now + interval_, [this] { tick(); });
}

Verdict Life::play() {
  monitor_.set_box(home_.box());
  internet_.place_box(home_.box());
  internet_.place_laptop(laptop_, network_);
  home_.start();
  laptop_.start();
  laptop_.watch(Home::kFlow);
  const Time start = start_;
  watchdog_.on_event(EventKind::kViewerLeaves, start);
  for (const Event& event : scenario_.events) {
    world_.at(start + event.at, [this, &event] { begin(event); });
    world_.at(start + event.at + event.lasts, [this, &event] { end(event); });
  }
  tick();
  try {
    world_.run_until(start + scenario_.length);
    settle();
  } catch (const std::exception& error) {
    monitor_.violated(error.what());
  }
  verdict_.violations = monitor_.violations();
  verdict_.recoveries = watchdog_.recoveries();
  verdict_.packets = monitor_.packets();
  verdict_.trace = monitor_.trace();
  verdict_.most_in_a_second = monitor_.most_in_a_second();
  verdict_.longest_overlap = monitor_.longest_overlap();
  return verdict_;
}

// Nothing happens any more: the picture is there by the best way there is, and gone after the last leave.
void Life::settle() {
  interval_ = 100ms;
  world_.run_for(kSettle);
  verdict_.expected = possible();
  if (verdict_.expected) {
    if (!watchdog_.healthy(world_.now())) {
      monitor_.violated("no picture at the end");
    }
    if (way_between(internet_.home(), network_now()) == Way::kDirect && laptop_.is_relayed()) {
      monitor_.violated("still relayed at the end, where there is a direct way");
    }
  }
  laptop_.leave();
  watchdog_.set_possible(false, world_.now());
  viewer_away_ = 1;
  world_.run_for(10s);
  if (!home_.box().joined().empty()) {
    monitor_.violated("a channel is still joined ten seconds after the last viewer left");
  }
}

}  // namespace hearthcast::sim
