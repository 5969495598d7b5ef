#include "tests/sim/seeds/scenario.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <random>

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// How often each happens, and for how long.
struct Habit {
  EventKind kind;
  std::string_view name;
  unsigned weight;
  milliseconds least, most;
};
constexpr std::array<Habit, kEventKinds> kHabits = {{
    {EventKind::kHomeRenumbered, "home-renumbered", 3, {}, {}},
    {EventKind::kHomeRebound, "home-rebound", 2, {}, {}},
    {EventKind::kAwayRebound, "away-rebound", 3, {}, {}},
    {EventKind::kAwayMoves, "away-moves", 4, 50ms, 2s},
    {EventKind::kAwayLosesFamily, "family-lost", 2, 3s, 20s},
    {EventKind::kHomeOutage, "home-outage", 2, 300ms, 20s},
    {EventKind::kAwayOutage, "away-outage", 2, 300ms, 20s},
    {EventKind::kRendezvousOutage, "rendezvous-outage", 2, 1s, 40s},
    {EventKind::kBoxRestarts, "box-restarts", 2, 200ms, 8s},
    {EventKind::kLaptopSleeps, "laptop-sleeps", 1, 5s, 60s},
    {EventKind::kViewerLeaves, "viewer-leaves", 2, 300ms, 8s},
    {EventKind::kReplay, "replay", 3, {}, {}},
}};

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : generator_(seed) {}
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : generator_() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }
  milliseconds between(milliseconds least, milliseconds most) {
    return least + milliseconds{below(static_cast<std::size_t>((most - least).count()) + 1)};
  }

 private:
  std::mt19937_64 generator_;
};

Link draw_wire(Dice& dice, bool bad) {
  Link wire{.delay = dice.between(2ms, 60ms)};
  if (bad) {
    wire.jitter = dice.between(0ms, 30ms);  // more than the spacing of packets reorders them
    wire.loss = static_cast<double>(dice.below(6)) / 100;
    wire.duplicates = static_cast<double>(dice.below(4)) / 100;
  }
  return wire;
}

EventKind draw_kind(Dice& dice) {
  unsigned all = 0;
  for (const Habit& habit : kHabits) {
    all += habit.weight;
  }
  auto at = static_cast<unsigned>(dice.below(all));
  for (const Habit& habit : kHabits) {
    if (at < habit.weight) {
      return habit.kind;
    }
    at -= habit.weight;
  }
  return kHabits.back().kind;
}

const Habit& habit_of(EventKind kind) { return *std::ranges::find(kHabits, kind, &Habit::kind); }

std::string seconds(Duration duration) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.1f s", std::chrono::duration<double>(duration).count());
  return text.data();
}

}  // namespace

std::string_view to_string(EventKind kind) { return habit_of(kind).name; }

std::string Scenario::to_string() const {
  std::string text = "seed " + std::to_string(seed) + ": " + std::string(home.name) + " to";
  for (const Access& network : networks) {
    text += " " + std::string(network.name);
  }
  text += ", loss " + std::to_string(std::lround(100 * wires.home.loss)) + " and " +
          std::to_string(std::lround(100 * wires.away.loss)) + " %;";
  for (const Event& event : events) {
    text += " " + seconds(event.at) + " " + std::string(sim::to_string(event.kind));
    if (event.lasts > Duration{}) {
      text += " for " + seconds(event.lasts);
    }
    text += ",";
  }
  text.back() = '.';
  return text;
}

Scenario draw_scenario(std::uint64_t seed) {
  Dice dice(seed);
  Scenario scenario;
  scenario.seed = seed;
  const auto kinds = accesses();
  scenario.home = kinds[dice.below(kinds.size())];
  for (int i = 0; i < 3; ++i) {
    scenario.networks.push_back(kinds[dice.below(kinds.size())]);
  }
  const bool bad = dice.chance(50);
  scenario.wires = {draw_wire(dice, bad), draw_wire(dice, bad)};

  Duration at = dice.between(3s, 8s);
  const std::size_t count = 3 + dice.below(5);
  for (std::size_t i = 0; i < count; ++i) {
    const Habit& habit = habit_of(draw_kind(dice));
    scenario.events.push_back({.at = at,
                               .kind = habit.kind,
                               .lasts = dice.between(habit.least, habit.most),
                               .which = dice.below(64)});
    scenario.length = std::max<Duration>(scenario.length, at + scenario.events.back().lasts);
    at += dice.chance(30) ? dice.between(0s, 2s) : dice.between(5s, 20s);  // some hit one that still lasts
  }
  return scenario;
}

}  // namespace hearthcast::sim
