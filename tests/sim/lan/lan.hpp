// A simulated link with hosts of all versions and two routers, one of which may die: packets are delayed, and
// lost for each receiver by itself. After each event the link is judged by a simple model:
//
//   who has been served once is served without a gap until it leaves;
//   what nobody wants is not forwarded any more when the standards' longest time is over.
#pragma once

#include <random>
#include <string>

#include "tests/sim/lan/lan_host.hpp"
#include "tunnelmgr/membership/router.hpp"

namespace hearthcast::sim {

struct LanSettings {
  Family family = Family::kIp6;
  double loss = 0;
  int robustness = 2;
  bool fast_leave = false;
  std::vector<int> versions = {};  // one host each
  bool unplugged = true;           // hosts also go without a word
};

class Lan {
 public:
  Lan(const LanSettings& settings, std::uint64_t seed);

  // Hosts join and leave at random, until then.
  void run(Duration time);
  void let_all_leave();
  void kill_querier();  // the router that asks falls silent for good
  [[nodiscard]] bool anything_forwarded() const;
  // What was seen to be wrong, in words; empty: nothing.
  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }
  [[nodiscard]] Duration longest_wait() const { return longest_wait_; }  // from a join to its service
  [[nodiscard]] std::uint64_t checks() const { return checks_; }
  [[nodiscard]] int queriers() const;

 private:
  struct Served {
    Time since;
    bool yet = false;
  };
  using Want = std::tuple<std::size_t, IpAddress, IpAddress>;  // host, group, source

  void step_to(Time when);
  [[nodiscard]] Time next() const;
  void act(std::size_t host);
  void send(std::size_t from, const std::vector<Buffer>& packets);
  void perform(std::size_t router, const membership::Actions& actions);
  void judge();
  [[nodiscard]] const membership::Router* querier() const;

  LanSettings settings_;
  std::mt19937_64 random_;
  Time now_ = Time() + std::chrono::hours(1);
  std::vector<membership::Router> routers_;
  std::vector<bool> alive_;
  std::vector<LanHost> hosts_;
  std::vector<Time> acts_;                                            // when each host does something next
  std::multimap<Time, std::pair<std::size_t, Buffer>> flying_;        // to whom: hosts, then routers
  std::map<std::pair<std::size_t, std::size_t>, Time> last_arrival_;  // from whom, to whom
  std::vector<IpAddress> groups_, sources_;
  std::map<Want, Served> served_;
  std::map<std::pair<IpAddress, IpAddress>, Time> unwanted_since_;
  std::vector<std::string> faults_;
  Duration longest_wait_{};
  std::uint64_t checks_ = 0;
};

}  // namespace hearthcast::sim
