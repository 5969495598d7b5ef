// One way of a path: what it does to each packet, decided by a seeded generator, so that a run repeats
// exactly.
#pragma once

#include <functional>
#include <optional>
#include <random>

#include "tunnelmgr/base/time.hpp"

namespace hearthcast::sim {

// Loss in bursts (Gilbert's model): in the bad state everything is lost.
struct Bursts {
  double begin = 0;                                // chance per packet to fall into the bad state
  double end = 1;                                  // and to leave it
  static Bursts of(double loss, double packets) {  // mean share lost, mean length of a burst
    return {loss / (packets * (1 - loss)), 1 / packets};
  }
};

struct Way {
  Duration delay = std::chrono::milliseconds{25};
  Duration jitter{};  // uniform, on top; never makes one packet overtake another
  double loss = 0;    // independent, 0 to 1
  Bursts bursts{};
  double late = 0;  // share of packets that are held back on top, uniform up to late_by: they are overtaken
  Duration late_by{};
  double twice = 0;  // share of packets that come a second time
  std::function<bool(Time)> broken = [](Time) { return false; };
};

// A machine that has no time for a program, again and again: what comes then waits.
struct Pauses {
  Duration every{};  // zero: never
  Duration length{};
  // When a program that would do something then does it.
  [[nodiscard]] Time awake(Time then) const {
    if (every == Duration{} || then == kNever) {
      return then;
    }
    const auto phase = then.time_since_epoch() % every;
    return phase < every - length ? then : then + (every - phase);
  }
};

class Path {
 public:
  Path(Way way, std::uint64_t seed) : way_(std::move(way)), generator_(seed) {}

  [[nodiscard]] const Way& way() const { return way_; }
  // When the packet that is sent now arrives; nullopt: never.
  std::optional<Time> arrival(Time now) {
    bad_ = bad_ ? !chance(way_.bursts.end) : chance(way_.bursts.begin);
    const bool lost = chance(way_.loss);
    if (bad_ || lost || way_.broken(now)) {
      return std::nullopt;
    }
    if (chance(way_.late)) {
      return now + way_.delay + up_to(way_.late_by);
    }
    last_ = std::max(last_, now + way_.delay + up_to(way_.jitter));
    return last_;
  }
  bool repeats() { return chance(way_.twice); }

 private:
  bool chance(double share) {
    return share > 0 && std::uniform_real_distribution<double>(0, 1)(generator_) < share;
  }
  Duration up_to(Duration limit) {
    return Duration(std::uniform_int_distribution<Duration::rep>(0, limit.count())(generator_));
  }

  Way way_;
  std::mt19937_64 generator_;
  bool bad_ = false;
  Time last_{};
};

}  // namespace hearthcast::sim
