// What one viewer of a flow still gets from the past: packets that it asked for again, and the prelude of a
// late joiner. Says which packets may go now; the caller sends them after the live traffic of the same turn.
//
// Paced by what is sent live, so it needs no clock: at most as much again as was sent live (together twice
// the rate), after a pause at most kBurst octets at once, or as many as the last live batch had. Answers to
// NACKs have a budget besides: kBudgetPercent of the live octets, saved up to a second of them (kFirstBudget
// at least). What exceeds the budget is refused, not kept: who still needs it asks again. A packet that is
// asked for twice before it went goes once. Oldest first. What a device can make the sender look at is
// bounded likewise, by the live octets: all that the ring holds, then a number for each kOctetsPerNumber.
// Pure; allocates at the first NACK only, since most viewers of a large house never send one; not
// thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/tunnel/quick_packet.hpp"
#include "tunnelmgr/tunnel/repair_ring.hpp"

namespace hearthcast::tunnel {

struct RepairCounters {
  std::uint64_t nacks = 0;
  std::uint64_t asked = 0;    // packets, each as often as it was asked for
  std::uint64_t sent = 0;     // packets sent again
  std::uint64_t octets = 0;   // of these, before sealing
  std::uint64_t gone = 0;     // asked for, but no longer there, or never sent
  std::uint64_t refused = 0;  // over the budget
  std::uint64_t prelude = 0;  // packets from before the viewer came
};

class Retransmitter {
 public:
  static constexpr std::size_t kBurst = 24'000;
  static constexpr std::size_t kBudgetPercent = 18;
  static constexpr std::size_t kOctetsPerNumber =
      64;  // twenty for a packet: an honest device needs one or two

  void on_nack(const Nack& nack, const RepairRing& ring);
  // Packets first to first + count - 1 go as well, without asking and outside the budget.
  void begin_prelude(std::uint32_t first, std::uint32_t count);

  void on_live(std::size_t octets);  // sent to this viewer just now, before sealing
  // Of the flow; how much budget can be saved.
  void set_rate(std::uint64_t octets_per_second);

  // The viewer has no use for the past any more: what was still owed is not.
  void forget();

  // What goes now: views into the ring, at most out.size(); how many. They count as sent.
  [[nodiscard]] std::size_t take(const RepairRing& ring, std::span<Bytes> out);

  [[nodiscard]] bool owes() const { return wanted_ > 0 || prelude_left_ > 0; }
  [[nodiscard]] const RepairCounters& counters() const { return counters_; }

 private:
  static constexpr std::size_t kWordBits = 64;
  static constexpr std::uint64_t kFirstBudget = std::uint64_t{256} << 10;

  // Bit of a number: whether it is wanted. No two numbers that the ring can hold share one.
  [[nodiscard]] static std::size_t bit(std::uint32_t sequence) { return sequence % kRepairRingPackets; }
  [[nodiscard]] bool is_wanted(std::uint32_t sequence) const;
  void want(std::uint32_t sequence);
  void unwant(std::uint32_t sequence);
  void forget_gone(const RepairRing& ring);
  [[nodiscard]] std::size_t take_wanted(const RepairRing& ring, std::span<Bytes> out);
  [[nodiscard]] std::size_t take_prelude(const RepairRing& ring, std::span<Bytes> out);

  using Bits = std::array<std::uint64_t, kRepairRingPackets / kWordBits>;
  std::unique_ptr<Bits> bits_;  // none while nothing was ever wanted
  std::uint32_t wanted_ = 0;    // how many bits are set
  std::uint32_t lowest_ = 0;    // no bit is set of a number before this one
  std::uint32_t prelude_next_ = 0;
  std::uint32_t prelude_left_ = 0;
  std::uint64_t credit_ = kBurst;
  std::uint64_t budget_ = kFirstBudget;          // in octets, as credit_
  std::uint32_t patience_ = kRepairRingPackets;  // numbers that are looked at yet
  std::uint64_t saving_ = std::uint64_t{1} << 20;
  RepairCounters counters_;
};

}  // namespace hearthcast::tunnel
