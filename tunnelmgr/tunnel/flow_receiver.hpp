// What one flow of a tunnel lost, reordered and repeated on its way, by its sequence numbers. Starts at the
// first number it sees; numbers are compared modulo 2^32.
#pragma once

#include <cstdint>

namespace hearthcast::tunnel {

enum class Arrival : std::uint8_t {
  kNext,       // the number that was due, or the first of all
  kGap,        // ahead: what lies between is counted lost until it comes
  kLate,       // filled a gap
  kDuplicate,  // came before, or is too old to tell
  kRestart,    // the sender's numbering started anew
};

class FlowReceiver {
 public:
  [[nodiscard]] Arrival on_sequence(std::uint32_t sequence);

  [[nodiscard]] std::uint64_t received() const { return received_; }    // without duplicates
  [[nodiscard]] std::uint64_t lost() const { return lost_; }            // still missing
  [[nodiscard]] std::uint64_t reordered() const { return reordered_; }  // came late
  [[nodiscard]] std::uint64_t duplicates() const { return duplicates_; }

 private:
  void start(std::uint32_t sequence);

  bool started_ = false;
  std::uint32_t highest_ = 0;
  std::uint64_t seen_ = 0;      // bit n: highest_ - n came
  std::uint32_t old_last_ = 0;  // the last number far behind, and how many followed one another
  int old_run_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t duplicates_ = 0;
};

}  // namespace hearthcast::tunnel
