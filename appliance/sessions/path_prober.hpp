// The box's side of path size discovery for one device's tunnel: drives tunnel::PathSize, turns its sizes
// into GRE packets, answers what the device probes, and says how large a packet of media may be. Pure; not
// thread-safe. One per session: a new one knows nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "appliance/sessions/device_tunnel.hpp"
#include "tunnelmgr/tunnel/path_size.hpp"

namespace hearthcast::sessions {

// Media go out in GRE packets of at most so many octets from now on.
struct LimitFrames {
  std::size_t octets = 0;
};
using PathProberAction = std::variant<SendInner, LimitFrames>;
using PathProberActions = std::vector<PathProberAction>;

// What the prober follows; it compares with what it was told last.
struct PathFacts {
  bool compact = false;  // the device takes compact media
  bool probe = false;    // and answers probes
  std::optional<Endpoint> path;
  bool watching = false;
};

class PathProber {
 public:
  // seal_overhead: octets that sealing adds to a GRE packet.
  explicit PathProber(std::size_t seal_overhead) : seal_overhead_(seal_overhead) {}

  // After anything that may have changed the facts.
  [[nodiscard]] PathProberActions update(const PathFacts& facts, Time now);
  // A packet of the device. Nothing: it has not to do with path sizes.
  [[nodiscard]] std::optional<PathProberActions> on_inner(Bytes gre, Time now);
  // The system refused to send a datagram (UDP payload) of that size.
  [[nodiscard]] PathProberActions on_refused(std::size_t datagram, Time now);
  [[nodiscard]] PathProberActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const { return size_.next_deadline(); }

  // The largest IP packet that is known to arrive; nothing before one did.
  [[nodiscard]] std::optional<std::uint16_t> path_mtu() const;
  [[nodiscard]] const tunnel::PathSize& size() const { return size_; }

 private:
  [[nodiscard]] std::size_t headers() const;  // outer IP and UDP
  [[nodiscard]] std::size_t frame_of(std::uint16_t size) const { return size - headers() - seal_overhead_; }
  void perform(const tunnel::PathActions& actions, PathProberActions& out) const;

  std::size_t seal_overhead_;
  PathFacts facts_;
  tunnel::PathSize size_;
};

}  // namespace hearthcast::sessions
