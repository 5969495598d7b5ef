// Watches every wire of a run and remembers what must never happen: a stream or more than three times what
// came to an endpoint that is not proven, two paths that carry for longer than a change takes, storms of
// packets.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/seeds/overlap.hpp"
#include "tests/sim/seeds/proofs.hpp"
#include "tests/sim/seeds/turn_server.hpp"
#include "tests/sim/world.hpp"

namespace hearthcast::sim {

class Monitor final : public Observer {
 public:
  static constexpr Duration kOverlap = std::chrono::seconds{3};
  // Everything but media that one end sends in one second.
  static constexpr std::size_t kStorm = 150;
  static constexpr std::size_t kViolationsKept = 10;

  struct Recorded {  // on its way to the box
    Endpoint from, to;
    Buffer bytes;
  };

  Monitor(const World& world, const Actor& laptop, const TurnServer& relay);

  // It has restarted, or is the first: nothing is proven to it.
  void set_box(const Actor& box);
  void on_told_box(const Endpoint& endpoint) { box_.proofs.on_told(endpoint, world_.now()); }
  void on_told_laptop(const Endpoint& endpoint) { laptop_.proofs.on_told(endpoint, world_.now()); }
  // The laptop opened a packet of the stream.
  void on_media(const Endpoint& from);
  void violated(const std::string& what);

  void on_sent(const Actor& origin, const Endpoint& to, Bytes bytes, Time now) override;
  void on_wire(const Endpoint& from, const Endpoint& to, Bytes bytes, Time now) override;
  void on_delivered(const Actor& at, const Actor* origin, const Endpoint& from, Bytes bytes,
                    Time now) override;
  void on_stray(const Actor*, const Endpoint&, Bytes, Time) override {}

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  [[nodiscard]] std::uint64_t trace() const { return trace_; }  // equal when two runs were equal
  [[nodiscard]] std::size_t most_in_a_second() const { return most_in_a_second_; }
  [[nodiscard]] Duration longest_overlap() const {
    return std::max({box_.leaves.longest(), laptop_.leaves.longest(), arrives_.longest()});
  }
  // The last datagram of each kind that went towards an address, for somebody to send again.
  [[nodiscard]] std::vector<Recorded> recorded(const std::vector<IpAddress>& towards) const;

 private:
  struct End {
    const Actor* actor = nullptr;
    Proofs proofs{};
    Overlap leaves{};
    Time second{};
    std::size_t in_this_second = 0;
  };
  [[nodiscard]] End* end_of(const Actor* actor);
  [[nodiscard]] bool is_service(const Endpoint& at) const;
  void check_overlap(Duration together, const char* where);

  const World& world_;
  const TurnServer& relay_;
  End box_;
  End laptop_;
  Overlap arrives_;
  std::vector<std::string> violations_;
  std::set<std::string> kinds_;  // of violations: the first of each is kept
  std::map<int, Recorded> recorded_;
  std::uint64_t packets_ = 0;
  std::uint64_t trace_ = 14695981039346656037U;  // FNV-1a
  std::size_t most_in_a_second_ = 0;
};

}  // namespace hearthcast::sim
