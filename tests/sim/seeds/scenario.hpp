// What happens in one run, drawn from its seed: the kinds of access, the wires, and a schedule of events.
// Printed, it is one line.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/seeds/internet.hpp"

namespace hearthcast::sim {

enum class EventKind : std::uint8_t {
  kHomeRenumbered,  // another public address, which the box sees only if it is its own
  kHomeRebound,     // the NATs at home forget everything and give other ports
  kAwayRebound,
  kAwayMoves,        // to another network; nothing in between
  kAwayLosesFamily,  // of two; it comes back after `lasts`
  kHomeOutage,       // nothing gets through for `lasts`
  kAwayOutage,
  kRendezvousOutage,
  kBoxRestarts,
  kLaptopSleeps,
  kViewerLeaves,  // and joins again
  kReplay,        // somebody sends again what the laptop sent, as from elsewhere
};
inline constexpr std::size_t kEventKinds = 12;
[[nodiscard]] std::string_view to_string(EventKind kind);

struct Event {
  Duration at{};  // after the beginning
  EventKind kind = EventKind::kHomeRenumbered;
  Duration lasts{};
  std::size_t which = 0;  // network, family or attack
};

struct Scenario {
  std::uint64_t seed = 0;
  Access home;
  std::vector<Access> networks;
  Wires wires;
  std::vector<Event> events;  // in order
  Duration length{};          // of all of them

  [[nodiscard]] bool loses() const { return wires.home.loss > 0; }
  [[nodiscard]] std::string to_string() const;
};

[[nodiscard]] Scenario draw_scenario(std::uint64_t seed);

}  // namespace hearthcast::sim
