// One life: a scenario played from its first join to its last leave, under the monitor.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/seeds/home.hpp"
#include "tests/sim/seeds/laptop.hpp"
#include "tests/sim/seeds/monitor.hpp"
#include "tests/sim/seeds/scenario.hpp"
#include "tests/sim/seeds/watchdog.hpp"

namespace hearthcast::sim {

// Both are made once in a process: keys cost more than a run does.
struct Keys {
  secure::OpenSslIdentity box = secure::make_identity();
  secure::OpenSslIdentity laptop = secure::make_identity();
};

struct Verdict {
  std::vector<std::string> violations;  // empty: nothing that must not happen has happened
  std::vector<Recovery> recoveries;
  std::uint64_t packets = 0;
  std::uint64_t trace = 0;
  std::size_t most_in_a_second = 0;
  std::size_t most_waiting = 0;   // packets and plans in the world
  std::size_t most_sessions = 0;  // that one end kept at once
  Duration longest_overlap{};
  bool expected = false;  // there was a way, at least at the end
};

class Life {
 public:
  // How long the picture may be away once nothing is in its way: consent ends after 30 s, and then an
  // introduction may have to be asked for twice. The usual times are in the summary.
  static constexpr Duration kBound = std::chrono::seconds{45};

  // Called at every tick: does what no sound program would.
  using Meddler = std::function<void(Life&)>;

  Life(Scenario scenario, const Keys& keys, Meddler meddle = {});
  [[nodiscard]] Verdict play();

  // For meddlers.
  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] Internet& internet() { return internet_; }
  [[nodiscard]] Home& home() { return home_; }
  [[nodiscard]] Laptop& laptop() { return laptop_; }
  [[nodiscard]] Monitor& monitor() { return monitor_; }
  [[nodiscard]] Duration elapsed() const { return world_.now() - start_; }

 private:
  void begin(const Event& event);
  void end(const Event& event);
  void move_laptop(std::size_t network);
  void place_laptop();
  void replay(const Event& event);
  void restart_box();
  void tick();
  void settle();
  [[nodiscard]] bool possible() const;
  [[nodiscard]] Access network_now() const;

  Scenario scenario_;
  World world_;
  Internet internet_;
  Rendezvous rendezvous_;
  TurnServer relay_;
  Home home_;
  Laptop laptop_;
  Monitor monitor_;
  Watchdog watchdog_;
  Meddler meddle_;
  Verdict verdict_;
  Time start_;

  std::size_t network_ = 0;
  std::optional<Family> family_lost_;
  int laptop_absent_ = 0;  // reasons for which it has no network at all
  int home_down_ = 0;
  int away_down_ = 0;
  std::size_t away_down_network_ = 0;
  int rendezvous_down_ = 0;
  int box_down_ = 0;
  int viewer_away_ = 0;
  bool needs_rendezvous_ = true;  // for the way back from what happened last
  Duration interval_ = std::chrono::milliseconds{50};
};

}  // namespace hearthcast::sim
