// What a path is like for repair: its loss, its round trip, how late it lets packets come; and what follows:
// when to ask again for a packet, and how long to wait for it (the play-out buffer).
//
// The delay allows as many asks as the measured loss needs, so that in ten minutes of kPacketRate packets a
// second a hundredth of a packet stays unrepaired; 150 to 1000 ms. Pure arithmetic over fixed memory.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tunnelmgr/base/time.hpp"

namespace hearthcast::tunnel {

inline constexpr std::chrono::milliseconds kLeastDelay{150};
inline constexpr std::chrono::milliseconds kMostDelay{1000};

class RepairEstimate {
 public:
  // A packet came that nobody had to ask for; a packet that had to be asked for.
  void on_packet() { count(0.0); }
  void on_loss() { count(1.0); }
  // From an ask to its answer; a sample counts only when it is sure which ask was answered.
  void on_round_trip(Duration sample);
  // An answer came of which it is not sure which ask it answers. When all are like that the patience is too
  // short to ever get a sample, so it grows a little, as a retransmission timer backs off (RFC 6298
  // section 5.5); the next samples take it back.
  void on_unsure_round_trip();
  // What another part of the program measured on the same path, now and then; the least of the last
  // kHints is believed, for a busy moment makes them longer, never shorter. Counts until a sample came, and
  // again when samples have led far below it (an answer may be taken for that of a later ask) or none has
  // come for kQuietHints of them.
  void hint_round_trip(Duration measured);
  // A packet came without an answer, so long after the gap was seen.
  void on_reordered(Duration lateness);

  [[nodiscard]] double loss() const { return loss_; }  // 0 to 1
  [[nodiscard]] Duration round_trip() const { return round_trip_; }
  [[nodiscard]] bool knows_round_trip() const { return known_; }
  // Between the first sight of a gap and the first ask: it may be reordering.
  [[nodiscard]] Duration reorder_wait() const;
  // Between the first ask and the second; afterwards twice as often, for then it is urgent.
  [[nodiscard]] Duration retry() const;
  // Asks that the measured loss needs, at least 2.
  [[nodiscard]] int asks() const;
  // How long a gap is waited for.
  [[nodiscard]] Duration delay() const;

 private:
  void count(double lost);

  static constexpr int kQuietHints = 5;
  static constexpr std::size_t kHints = 16;
  static constexpr double kFirstLoss = 0.02;  // assumed until it is measured
  static constexpr std::chrono::milliseconds kFirstRoundTrip{100};

  double loss_ = kFirstLoss;
  Duration round_trip_ = kFirstRoundTrip;     // smoothed as in RFC 6298 section 2
  Duration variation_ = kFirstRoundTrip / 4;  // likewise
  bool known_ = false;                        // measured or hinted
  bool measured_ = false;                     // by a sample of our own
  int quiet_ = 0;                             // hints since the last sample
  std::array<Duration, kHints> hints_{};      // the last ones; 0: not that many yet
  std::size_t next_hint_ = 0;
  Duration reordering_{};  // the latest late comers, fading
};

}  // namespace hearthcast::tunnel
