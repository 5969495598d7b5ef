// Mtrace2 (RFC 8487): traceroute for multicast. A query goes to the last-hop router, which turns it into a
// request that climbs towards the source; each router appends a block; the reply goes back to the client.
//
// One message is one UDP datagram: a header and blocks in the order of the routers, each a type (1 octet), a
// length of the whole block (2 octets) and a value. The family is told by the header's length. A block of an
// unknown type makes the whole message unknown, as the RFC asks.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

inline constexpr std::uint16_t kMtrace2Port = 33435;
inline constexpr std::uint64_t kMtrace2Unknown = ~std::uint64_t{0};  // a counter that the router lacks

enum class Mtrace2Type : std::uint8_t { kQuery = 1, kRequest = 2, kReply = 3 };

// The forwarding codes that IANA lists (not quite those of the first mtrace). Decoding keeps other numbers.
enum class Mtrace2Code : std::uint8_t {
  kNoError = 0x00,
  kWrongInterface = 0x01,
  kPruneSent = 0x02,
  kPruneReceived = 0x03,
  kScoped = 0x04,
  kNoRoute = 0x05,
  kWrongLastHop = 0x06,
  kNotForwarding = 0x07,
  kReachedRp = 0x08,
  kRpfInterface = 0x09,
  kNoMulticast = 0x0A,
  kInfoHidden = 0x0B,
  kReachedGateway = 0x0C,
  kUnknownQuery = 0x0D,
  kFatalError = 0x80,
  kNoSpace = 0x81,
  kAdminProhibited = 0x82,
};

// One router's answer: the standard response block.
struct Mtrace2Response {
  std::uint32_t arrival_time = 0;        // the middle 32 bits of an NTP time stamp: seconds and 2^-16 seconds
  std::uint32_t incoming_interface = 0;  // IPv6 only: the number of the interface towards the source
  std::uint32_t outgoing_interface = 0;  // IPv6 only: towards the client
  IpAddress incoming = {};               // the router's address towards the source
  std::optional<IpAddress> outgoing = {};  // IPv4 only: its address towards the client
  IpAddress upstream = {};                 // the next router towards the source; unspecified: not known
  std::uint64_t input_packets = kMtrace2Unknown;   // of all multicast on the incoming interface
  std::uint64_t output_packets = kMtrace2Unknown;  // and on the outgoing one
  std::uint64_t flow_packets = kMtrace2Unknown;    // of this source and group
  std::uint16_t unicast_protocol = 0;              // IANA's numbers of routing protocols
  std::uint16_t multicast_protocol = 0;
  std::uint8_t forward_ttl = 0;    // IPv4 only: the threshold of the outgoing interface
  bool counts_network = false;     // flow_packets counts the source's whole network
  std::uint8_t source_prefix = 0;  // length of that network's prefix; 127 (IPv4), 255 (IPv6): any source
  Mtrace2Code code = Mtrace2Code::kNoError;
  friend bool operator==(const Mtrace2Response&, const Mtrace2Response&) = default;
};

struct Mtrace2Augmented {  // what a router adds: type 1 counts the responses that an earlier reply took away
  std::uint16_t type = 1;
  Buffer value = {};
  friend bool operator==(const Mtrace2Augmented&, const Mtrace2Augmented&) = default;
};

struct Mtrace2Extended {    // what a client asks besides
  bool transitive = false;  // routers that do not know it pass it on
  std::uint16_t type = 0;
  Buffer value = {};
  friend bool operator==(const Mtrace2Extended&, const Mtrace2Extended&) = default;
};

using Mtrace2Block = std::variant<Mtrace2Response, Mtrace2Augmented, Mtrace2Extended>;

struct Mtrace2Message {
  Mtrace2Type type = Mtrace2Type::kQuery;
  std::uint8_t hops = 0;            // after so many responses the trace ends
  IpAddress group;                  // its family is that of the message
  std::optional<IpAddress> source;  // nullopt: any (255.255.255.255 or :: on the wire)
  IpAddress client;
  std::uint16_t query_id = 0;
  std::uint16_t client_port = 0;
  std::vector<Mtrace2Block> blocks = {};
  friend bool operator==(const Mtrace2Message&, const Mtrace2Message&) = default;
};

// Octets that are reserved may hold anything. Whether addresses make sense is for the reader to say.
[[nodiscard]] Result<Mtrace2Message> decode_mtrace2(Bytes datagram);

// All addresses must be of the group's family; unspecified ones are written as such in any case.
[[nodiscard]] Buffer encode_mtrace2(const Mtrace2Message& message);

[[nodiscard]] std::size_t count_responses(const Mtrace2Message& message);

// Whether a router that answers so passes the request no further.
[[nodiscard]] bool ends_trace(Mtrace2Code code);

// "no error", "not forwarding"; a number for those that nobody named.
[[nodiscard]] std::string describe(Mtrace2Code code);

}  // namespace hearthcast::wire
