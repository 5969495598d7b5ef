// What a receiver says of the test packets of one or several senders: loss, order, duplicates, delay.
//
// Not thread-safe; fixed memory per stream. Times are nanoseconds since 1970 by the receiver's clock.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "tunnelmgr/mcast/latency.hpp"
#include "tunnelmgr/mcast/probe.hpp"

namespace hearthcast::mcast {

// One run of one sender.
class Stream {
 public:
  void on_probe(const Probe& probe, std::int64_t received_ns, std::size_t octets);

  [[nodiscard]] std::uint64_t packets() const { return packets_; }  // without duplicates
  [[nodiscard]] std::uint64_t octets() const { return octets_; }    // of UDP payload, without duplicates
  [[nodiscard]] std::uint64_t duplicates() const { return duplicates_; }
  [[nodiscard]] std::uint64_t reordered() const { return reordered_; }  // came behind a later one
  // Too far behind the highest number (65536) to say whether they are duplicates; counted nowhere else.
  [[nodiscard]] std::uint64_t ancient() const { return ancient_; }
  // Between the first and the highest number that came.
  [[nodiscard]] std::uint64_t lost() const;
  [[nodiscard]] std::uint64_t first_sequence() const { return first_; }
  [[nodiscard]] std::uint64_t highest_sequence() const { return highest_; }
  // The longest time between two arrivals: how long a picture would have stood still.
  [[nodiscard]] std::int64_t longest_gap_ns() const { return longest_gap_; }
  [[nodiscard]] std::int64_t first_ns() const { return first_ns_; }
  [[nodiscard]] std::int64_t last_ns() const { return last_ns_; }
  [[nodiscard]] const Latency& latency() const { return latency_; }

 private:
  static constexpr std::size_t kWindow = 65536;
  [[nodiscard]] bool is_new(std::uint64_t sequence);

  std::vector<bool> seen_ = std::vector<bool>(kWindow);
  std::uint64_t packets_ = 0;
  std::uint64_t octets_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t ancient_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t highest_ = 0;
  std::int64_t first_ns_ = 0;
  std::int64_t last_ns_ = 0;
  std::int64_t longest_gap_ = 0;
  Latency latency_;
};

class Reception {
 public:
  static constexpr std::size_t kMaxStreams = 16;  // a sender that starts anew is another stream

  // False for what is no test packet, or a stream too many.
  bool on_datagram(Bytes datagram, std::int64_t received_ns);

  [[nodiscard]] const std::map<std::uint32_t, std::unique_ptr<Stream>>& streams() const { return streams_; }
  [[nodiscard]] std::uint64_t strangers() const { return strangers_; }
  [[nodiscard]] std::uint64_t packets() const;  // of all streams
  [[nodiscard]] std::uint64_t lost() const;

 private:
  std::map<std::uint32_t, std::unique_ptr<Stream>> streams_;
  std::uint64_t strangers_ = 0;
};

}  // namespace hearthcast::mcast
