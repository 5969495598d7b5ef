// What many lives came to: how long the picture was away after each kind of event, and the most of everything
// that has to stay bounded.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/sim/seeds/life.hpp"

namespace hearthcast::sim {

class Summary {
 public:
  void add(const Scenario& scenario, const Verdict& verdict);

  [[nodiscard]] std::size_t lives() const { return lives_; }
  [[nodiscard]] const Verdict& most() const { return most_; }  // of each figure
  // Of all gaps after such an event, on wires that lose packets or on those that do not; zero without any.
  [[nodiscard]] Duration percentile(EventKind after, bool lossy, unsigned percent) const;
  [[nodiscard]] std::size_t gaps(EventKind after, bool lossy) const;
  // A line for each kind of event, for people.
  [[nodiscard]] std::string to_string() const;

 private:
  struct Key {
    EventKind after;
    bool lossy;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  std::map<Key, std::vector<Duration>> gaps_;
  Verdict most_;
  std::size_t lives_ = 0;
};

}  // namespace hearthcast::sim
