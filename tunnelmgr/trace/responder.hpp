// A router's side of multicast traceroute (RFC 8487 section 4): answers queries of clients on its own links,
// passes requests on towards the source when that is allowed.
//
// A reply is larger than the query, by one block, and whoever can forge an address could have it sent to
// somebody else. So only a client on the link that the query came in on is answered, and only at its own
// address; a request, whose client may be further away, only from a neighbour (hop limit 255: RFC 5082). Both
// share one budget per second. Nothing at all is sent for what is malformed. Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/wire/mtrace2.hpp"

namespace hearthcast::trace {

// What the router knows of a group and source, asked from one of its interfaces.
struct RouteFacts {
  wire::Mtrace2Code code = wire::Mtrace2Code::kNoError;
  std::uint32_t incoming_interface = 0;  // towards the source, by index; 0: none
  std::uint32_t outgoing_interface = 0;  // towards the client
  std::optional<IpAddress> incoming;     // own addresses on the two
  std::optional<IpAddress> outgoing;
  std::optional<IpAddress>
      upstream;  // the router above; nullopt: the source is on that link, or it is unknown
  std::uint64_t input_packets = wire::kMtrace2Unknown;
  std::uint64_t output_packets = wire::kMtrace2Unknown;
  std::uint64_t flow_packets = wire::kMtrace2Unknown;
  std::uint8_t threshold = 0;
  bool any_source = false;  // the state is of the group, not of the source
};

// The rest of the router, asked during on_datagram() only; for a route only within the budget.
class RouteLookup {
 public:
  virtual ~RouteLookup() = default;
  // nullopt: this router forwards nothing to that interface; it is not the client's last hop.
  [[nodiscard]] virtual std::optional<RouteFacts> route(const IpAddress& group,
                                                        const std::optional<IpAddress>& source,
                                                        std::uint32_t interface_index) const = 0;
  // Whether the address belongs to the network of that interface.
  [[nodiscard]] virtual bool on_link(std::uint32_t interface_index, const IpAddress& address) const = 0;
};

struct ResponderSettings {
  bool forward = false;           // pass on towards the source; else the path ends here
  std::uint32_t per_second = 10;  // questions that are looked into
  std::size_t largest = 1232;     // octets: what an IPv6 packet carries everywhere
};

struct Arrival {
  Endpoint source;
  std::uint32_t interface_index = 0;
  std::uint8_t hop_limit = 0;  // as received; 0: not known
  bool to_group = false;       // sent to all routers, not to this one
};

struct SendTrace {
  Endpoint to;
  std::uint32_t interface_index = 0;  // where it leaves; 0: as the routing table says
  Buffer datagram;                    // with hop limit 255
};

struct ResponderCounters {
  std::uint64_t replies = 0;
  std::uint64_t forwarded = 0;
  std::uint64_t malformed = 0;
  std::uint64_t bad_addresses = 0;  // group, source or client that cannot be traced
  std::uint64_t not_on_link = 0;    // a client or neighbour from elsewhere, or with another's address
  std::uint64_t not_last_hop = 0;
  std::uint64_t over_rate = 0;
  friend bool operator==(const ResponderCounters&, const ResponderCounters&) = default;
};

class Responder {
 public:
  Responder(ResponderSettings settings, Time now);

  // ntp_time: the middle 32 bits of the wall clock's NTP time stamp, which goes into the answer.
  [[nodiscard]] std::optional<SendTrace> on_datagram(Bytes datagram, const Arrival& arrival,
                                                     const RouteLookup& router, std::uint32_t ntp_time,
                                                     Time now);
  [[nodiscard]] const ResponderCounters& counters() const { return counters_; }

 private:
  [[nodiscard]] bool acceptable(const wire::Mtrace2Message& message, const Arrival& arrival,
                                const RouteLookup& router);
  [[nodiscard]] bool within_rate(Time now);
  [[nodiscard]] SendTrace reply(wire::Mtrace2Message message, const Arrival& arrival);

  ResponderSettings settings_;
  ResponderCounters counters_;
  std::uint32_t tokens_;
  Time refilled_;
};

// The middle 32 bits of an NTP time stamp, from nanoseconds since 1970 (UTC).
[[nodiscard]] std::uint32_t ntp_middle(std::int64_t unix_nanoseconds);

}  // namespace hearthcast::trace
