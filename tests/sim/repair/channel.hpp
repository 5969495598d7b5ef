// One channel of 8 Mbit/s from the box to one viewer over a simulated path: the box's ring and retransmitter,
// the away client's receiver, and the tunnel's replay window between them. Each datagram carries its number
// and when it was sent; a number that does not follow the one before is what a player sees as continuity
// errors.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "tests/sim/repair/path.hpp"
#include "tunnelmgr/tunnel/repair_receiver.hpp"
#include "tunnelmgr/tunnel/retransmitter.hpp"

namespace hearthcast::sim {

inline constexpr Duration kInterval = std::chrono::microseconds{1316};  // 1316 octets at 8 Mbit/s

struct Figures {
  std::uint64_t sent = 0;  // live packets
  std::uint64_t played = 0;
  std::uint64_t continuity_errors = 0;
  std::uint64_t disorder = 0;  // a datagram that was handed on after a later one, or twice
  std::uint64_t replayed = 0;  // records that the replay window refused
  double overhead = 0;         // octets sent again and asked with, both ways, by the octets of live traffic
  Duration most_added{};       // beyond the path's own delay, of what was handed on
  Duration usual_added{};      // median
  std::vector<Time> errors;    // when each datagram was handed on before which some are missing
};

class Channel : private tunnel::RepairReceiver::Sink {
 public:
  Channel(Way down, Way up, std::uint64_t seed);

  void run(Duration duration);
  [[nodiscard]] Figures figures() const;
  [[nodiscard]] Time now() const { return now_; }
  [[nodiscard]] const tunnel::RepairReceiver& receiver() const { return receiver_; }
  [[nodiscard]] const tunnel::RepairCounters& box() const { return viewer_.counters(); }
  // What ICE measures, each second; the path's own delay unless said otherwise.
  void set_round_trip(std::function<Duration()> measure) { round_trip_ = std::move(measure); }
  void set_pauses(Pauses box, Pauses viewer) {
    box_pauses_ = box;
    viewer_pauses_ = viewer;
  }
  // The viewer comes anew, with or without what came before.
  void join(bool prelude);
  [[nodiscard]] Time first_played() const { return first_played_; }

 private:
  struct Record {
    std::uint64_t number = 0;
    std::optional<tunnel::Prelude> prelude{};
    std::uint32_t sequence = 0;  // else media
    Time sent{};
  };

  void release(Bytes payload) override;
  void live();
  void send_again();
  void to_viewer(Record record);
  void at_viewer(const Record& record);
  void turn_of_box();
  void turn_of_viewer();
  [[nodiscard]] bool replayed(std::uint64_t number);

  std::function<Duration()> round_trip_;
  Pauses box_pauses_;
  Pauses viewer_pauses_;
  Path down_;
  Path up_;
  Time now_{std::chrono::hours{1}};
  Time next_live_{now_};

  // The box.
  std::uint32_t next_sequence_ = 0xFFFFF000;  // it wraps in the first seconds
  tunnel::RepairRing ring_;
  tunnel::Retransmitter viewer_;
  std::uint64_t rate_ = 0;  // octets in this second
  Time second_{now_};
  std::uint64_t next_record_ = 1;
  std::optional<tunnel::Prelude> prelude_;
  int announcements_ = 0;

  // Between them.
  std::multimap<Time, Record> downward_;
  std::multimap<Time, tunnel::Nack> upward_;

  // The viewer.
  tunnel::RepairReceiver receiver_{1};
  std::uint64_t newest_record_ = 0;
  std::uint64_t seen_records_ = 0;
  std::optional<std::uint32_t> last_played_;
  Time first_played_ = kNever;

  Figures figures_;
  std::uint64_t live_octets_ = 0;
  std::uint64_t asked_octets_ = 0;
  std::vector<std::int32_t> added_us_;
};

}  // namespace hearthcast::sim
