// The away side of one flow: puts its packets in order, asks again for what did not come (when the box
// answers that), and hands payloads on in the order they were sent. This is the play-out buffer: while
// nothing is missing it holds nothing back; behind a gap it waits, at most delay(), which follows the path's
// loss and round trip (repair_estimate.hpp). Duplicates are dropped, reordering is absorbed, what comes later
// than that is lost. Why so: docs/decisions/013-hold-only-behind-a-gap.md.
//
// When a steady flow falls silent, that time does not count, up to kMostDelay: a machine that pauses, at
// either end, answers nothing, and nothing new waits behind the gap meanwhile.
//
// After a long gap (an outage) it waits as long as a repair at the flow's own rate takes, at most kMostDelay;
// what cannot come in that time is given up at once, oldest first.
//
// Sequence numbers are modulo 2^32. Nothing allocates per packet. Pure; not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/tunnel/hold_pool.hpp"
#include "tunnelmgr/tunnel/quick_packet.hpp"
#include "tunnelmgr/tunnel/repair_estimate.hpp"

namespace hearthcast::tunnel {

enum class Arrival : std::uint8_t {
  kNext,       // the number that was due, or the first of all
  kGap,        // ahead: what lies between is missing until it comes
  kLate,       // filled a gap
  kDuplicate,  // came before, or is too old to tell
  kRestart,    // the sender's numbering started anew
};

struct PlayoutCounters {
  std::uint64_t received = 0;    // without duplicates
  std::uint64_t lost = 0;        // given up: not handed on
  std::uint64_t repaired = 0;    // came because they were asked for
  std::uint64_t reordered = 0;   // came late by themselves
  std::uint64_t duplicates = 0;  // dropped
  std::uint64_t late = 0;        // came after they were given up: dropped, and counted in lost
  std::uint64_t nacks = 0;
  std::uint64_t asked = 0;  // packets, each as often as it was asked for
};

class RepairReceiver {
 public:
  static constexpr std::uint32_t kWindow = 8192;  // packets from the oldest awaited to the newest

  // Takes what is handed on, in order. Views are valid during the call.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void release(Bytes payload) = 0;
  };

  explicit RepairReceiver(std::uint32_t flow = 0) : flow_(flow), entries_(kWindow) {}

  // Whether the box answers NACKs. Without, a gap is waited for only as long as reordering needs.
  void set_repair(bool on) { repair_ = on; }
  void hint_round_trip(Duration measured) { estimate_.hint_round_trip(measured); }

  Arrival on_packet(std::uint32_t sequence, Bytes payload, Time now, Sink& sink);
  // The box says what it sends of the time before: it is waited for instead of asked for.
  void on_prelude(const Prelude& prelude, Time now);
  // Gives up what is late.
  void on_deadline(Time now, Sink& sink);
  // What is to be asked for now; call until nullopt.
  [[nodiscard]] std::optional<Nack> next_nack(Time now);
  [[nodiscard]] Time next_deadline() const;
  // Hands on whatever is held, then begins anew with another flow's numbers. Counters and estimate stay.
  void restart(std::uint32_t flow, Time now, Sink& sink);

  [[nodiscard]] std::uint32_t flow() const { return flow_; }
  [[nodiscard]] bool started() const {
    return started_;
  }  // something of the flow came, or its prelude was said
  [[nodiscard]] const PlayoutCounters& counters() const { return counters_; }
  [[nodiscard]] const RepairEstimate& estimate() const { return estimate_; }
  // How long a gap is waited for now.
  [[nodiscard]] Duration delay() const;
  // The longest that a packet was held since the last call.
  [[nodiscard]] Duration take_longest_hold();
  [[nodiscard]] std::size_t held() const { return pool_.used(); }

 private:
  enum class State : std::uint8_t {
    kAwaited,  // part of the prelude that is on its way
    kMissing,
    kHeld,
    kDone,  // handed on
    kLost,  // given up
  };
  using Patience = std::chrono::duration<std::uint16_t, std::milli>;
  struct Entry {
    State state = State::kDone;
    bool loss_event = false;  // counts as one loss when it is asked for
    bool disturbed = false;   // a silence was between an ask and now: its answer measures that, not the path
    std::uint8_t asks = 0;
    HoldPool::Slot slot = 0;
    std::uint16_t size = 0;
    Patience patience{};  // of its gap: what is waited at least, when the box repairs
    Time noticed{};       // missing since
    Time asked{};         // the latest ask
    Time first_asked{};
    Time when{};  // missing: the next ask; held and done: when it came
  };

  [[nodiscard]] Entry& entry(std::uint32_t sequence) { return entries_[sequence % kWindow]; }
  [[nodiscard]] const Entry& entry(std::uint32_t sequence) const { return entries_[sequence % kWindow]; }
  void start(std::uint32_t sequence);
  void flush(Time now, Sink& sink);
  Arrival on_new(std::uint32_t sequence, Bytes payload, Time now, Sink& sink);
  Arrival on_old(std::uint32_t sequence, Bytes payload, Time now, Sink& sink);
  Arrival on_too_old(std::uint32_t sequence, Bytes payload, Time now, Sink& sink);
  void note_gap(std::uint32_t first, std::uint32_t count, Time now);
  void note_answer(Entry& found, Time now);
  void note_second_copy(Entry& found, Time now);
  void advance_awaited(std::uint32_t until, Time now);
  void miss(Entry& one, Duration patience, Time now);
  void deliver(std::uint32_t sequence, Bytes payload, Time now, Sink& sink);
  // Skips to the next packet that is there, at most to `until`, and hands on what follows.
  void give_up_front(std::uint32_t until, Time now, Sink& sink);
  void drain(Time now, Sink& sink);
  void forget_missing(const Entry& found);
  // Something of the flow came: what was missing in a silence before it gets that time besides.
  void end_silence(Time now);
  [[nodiscard]] bool steady() const { return steady_packets_ >= kSteady; }
  [[nodiscard]] Duration silence() const;  // what is longer between two packets is one
  [[nodiscard]] Time patient_until(const Entry& found) const;
  [[nodiscard]] Time give_up_at(const Entry& found) const;
  [[nodiscard]] std::uint32_t most_outstanding() const;

  static constexpr std::uint32_t kSteady = 256;  // packets without a silence, as many as make a flow steady

  std::uint32_t flow_;
  bool repair_ = false;
  bool started_ = false;
  std::uint32_t floor_ = 0;  // numbers before this one are none of ours
  std::uint32_t base_ = 0;   // the next to hand on
  std::uint32_t end_ = 0;    // after the newest seen
  std::uint32_t awaited_ = 0;
  std::uint32_t awaited_end_ = 0;  // numbers from awaited_ to here may be kAwaited
  std::optional<std::uint32_t> prelude_end_;
  Time awaited_until_ = kNever;
  std::uint32_t missing_ = 0;      // how many are kMissing
  std::uint32_t outstanding_ = 0;  // of these, asked for
  Time next_ask_ = kNever;
  Time newest_at_{};                                     // when end_ last moved
  std::uint32_t steady_packets_ = 0;                     // without a silence between them
  Time came_at_{};                                       // when anything of the flow last came
  Duration interval_ = std::chrono::microseconds{1300};  // between packets, smoothed
  std::uint32_t old_last_ = 0;                           // the last number far behind,
  int old_run_ = 0;                                      // and how many followed one another
  Duration longest_hold_{};
  std::vector<Entry> entries_;
  HoldPool pool_;
  RepairEstimate estimate_;
  PlayoutCounters counters_;
};

}  // namespace hearthcast::tunnel
