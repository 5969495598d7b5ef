// Finds out how large a packet a path carries, and notices when it carries less: datagram packetization layer
// path MTU discovery (RFC 8899) with probes that the far end answers. ICMP is not needed and not heard.
//
// Sizes are those of whole IP packets, in octets. Until something is confirmed size() is the base, which
// every usual path carries. Pure: the caller sends the probes; not thread-safe.
//
// Two departures from the RFC, since a probe is one packet a second of an authenticated tunnel: the sizes of
// a search round go out together, so the first answers come after one round trip; and while media flow the
// size in use is confirmed once a second, so a path that shrinks without a word costs about two seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::tunnel {

struct PathTiming {
  std::chrono::milliseconds probe{1000};     // PROBE_TIMER: an unanswered probe is lost
  int max_probes = 3;                        // MAX_PROBES: as many lost ones are a size that does not pass
  std::chrono::milliseconds confirm{1000};   // CONFIRMATION_TIMER, only while active
  std::chrono::milliseconds suspicion{350};  // between confirmations that stay unanswered, at least
  std::chrono::seconds raise{600};           // PMTU_RAISE_TIMER
  std::chrono::seconds retry{10};            // when not even the base passed
};

enum class PathState : std::uint8_t { kDisabled, kBase, kSearching, kComplete, kError };
[[nodiscard]] const char* to_string(PathState state);  // "disabled", "base", ...

// Send a probe in an IP packet of that size.
struct SendProbe {
  std::uint32_t nonce = 0;
  std::uint16_t size = 0;
};
// size() is another one.
struct PathSizeChanged {
  std::uint16_t size = 0;
};
using PathAction = std::variant<SendProbe, PathSizeChanged>;
using PathActions = std::vector<PathAction>;

class PathSize {
 public:
  static constexpr std::uint16_t kLargest = 1500;
  static constexpr std::uint16_t kStep = 4;  // the search ends when it knows the size to so many octets
  static constexpr std::uint16_t base_of(Family family) { return family == Family::kIp4 ? 1200 : 1280; }

  explicit PathSize(PathTiming timing = {}) : timing_(timing) {}

  // Begins on a new path: whatever was known of another is forgotten.
  [[nodiscard]] PathActions start(Family family, Time now);
  [[nodiscard]] PathActions on_answer(std::uint32_t nonce, std::uint16_t size, Time now);
  // The system refused to send a packet of that size (EMSGSIZE).
  [[nodiscard]] PathActions on_too_big(std::uint16_t size, Time now);
  // Whether media flow. Only then a shrinking path matters at once.
  [[nodiscard]] PathActions set_active(bool active, Time now);
  [[nodiscard]] PathActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] PathState state() const { return state_; }
  [[nodiscard]] std::uint16_t size() const { return confirmed_ > base_ ? confirmed_ : base_; }
  [[nodiscard]] std::uint16_t confirmed() const { return confirmed_; }  // 0: not even the base
  [[nodiscard]] std::uint64_t black_holes() const { return black_holes_; }
  [[nodiscard]] std::uint64_t probes() const { return probes_; }

 private:
  struct Outstanding {
    std::uint32_t nonce;
    std::uint16_t size;
    Time sent;
  };

  void probe(std::uint16_t size, Time now, PathActions& out);
  void search(std::vector<std::uint16_t> sizes, Time now, PathActions& out);
  void usual_sizes(Time now, PathActions& out);
  void next_round(Time now, PathActions& out);
  void round_unanswered(Time now, PathActions& out);
  void complete(Time now, PathActions& out);
  void confirm(Time now, PathActions& out);
  void fall_to_base(Time now, PathActions& out);
  void set_confirmed(std::uint16_t size, PathActions& out);
  [[nodiscard]] Duration patience() const;

  PathTiming timing_;
  PathState state_ = PathState::kDisabled;
  std::uint16_t base_ = 1200;
  std::uint16_t confirmed_ = 0;
  std::uint16_t ceiling_ = kLargest + 1;  // the smallest size that is known not to pass
  std::vector<std::uint16_t> round_;      // sizes in search, ascending, all above confirmed_
  int tries_ = 0;                         // of the round
  Time round_end_ = kNever;
  Time raise_at_ = kNever;
  Time retry_at_ = kNever;

  bool active_ = false;
  Time next_confirmation_ = kNever;
  int unconfirmed_ = 0;      // confirmations in a row without an answer
  bool base_heard_ = false;  // while they were not answered, a probe of the base was

  std::vector<Outstanding> outstanding_;
  std::uint32_t last_nonce_ = 0;
  Duration round_trip_{};  // smoothed; zero before the first answer
  std::uint64_t black_holes_ = 0;
  std::uint64_t probes_ = 0;
};

}  // namespace hearthcast::tunnel
