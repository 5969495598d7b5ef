// The unsealed forms of a tunnel to a foreign peer, a router or a Linux host: GRE, 6in4 and AYIYA, over IP,
// over UDP, or over UDP with GUE. One interface for all of them: an inner IP packet gets its header, and
// comes out of it again once everything that the form lets a receiver check was right. docs/tunnels/ says
// what each is worth.
//
// One object serves both directions of one peer; one thread. Sending does not allocate.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/tunnel/form.hpp"
#include "tunnelmgr/wire/ayiya_signature.hpp"

namespace hearthcast::tunnel {

enum class Carrier : std::uint8_t {
  kIp,   // IP protocol 47 or 41; not for AYIYA
  kUdp,  // RFC 8086 for GRE, FOU for 6in4
  kGue   // not for AYIYA
};

// Why a packet was dropped.
enum class Drop : std::uint8_t {
  kMalformed,    // not this form, or cut short
  kKey,          // GRE key other than agreed, or present or absent against what was agreed
  kChecksum,     // GRE checksum wrong, or missing though agreed
  kSequence,     // GRE sequence number not newer than the last, or missing though agreed
  kSource,       // outer source is not the peer's
  kSignature,    // AYIYA, heartbeat
  kTime,         // the same: sent too long ago, or in the future
  kReplay,       // the same: seen before
  kInnerLength,  // inner packet shorter or longer than it says
  kInnerSource,  // inner source that no packet may have
  kNested,       // a tunnel inside the tunnel
  kUnwanted      // whole and right, but nothing that a peer may send
};
inline constexpr std::size_t kDropReasons = 12;
using DropCounters = std::array<std::uint64_t, kDropReasons>;
[[nodiscard]] const char* label(Drop drop);  // snake_case, for metrics and status

struct GreSettings {
  std::optional<std::uint32_t> key = std::nullopt;
  bool sequence = false;
  bool checksum = false;
};

struct AyiyaSettings {
  wire::AyiyaHash hash = wire::AyiyaHash::kHmacSha256;  // or kSha1 (deployed), kSha256
  IpAddress local = IpAddress::any(Family::kIp6);       // this end's address in the tunnel: who we are
  IpAddress remote = IpAddress::any(Family::kIp6);
  Buffer secret = {};  // kHmacSha256: 32 octets; else the password
  // How far the clocks may be apart. The draft says 60 s, its deployed implementations 120 s.
  std::chrono::seconds window{60};
};

struct EncapsulationSettings {
  Form form = Form::kGre;
  Carrier carrier = Carrier::kUdp;
  GreSettings gre = {};
  AyiyaSettings ayiya = {};
};

struct Moment {
  Time now{};
  std::uint32_t epoch = 0;  // the wall clock: seconds since 1970, modulo 2^32
};

// What came out of a datagram.
struct Opened {
  enum class Kind : std::uint8_t { kPacket, kAlive, kEchoRequest, kEchoResponse };
  Kind kind = Kind::kPacket;
  Bytes payload;  // into the input: an inner IP packet, or what an echo carries
};

class Encapsulation {
 public:
  virtual ~Encapsulation() = default;

  [[nodiscard]] virtual std::size_t header_size() const = 0;  // the same for every packet
  [[nodiscard]] virtual bool carries(Family inner) const = 0;
  // `slot` is header_size() octets of room and behind it a packet of a family that it carries.
  virtual void seal(MutableBytes slot, const Moment& moment) = 0;
  // `datagram`: what is in UDP, or in IP.
  [[nodiscard]] virtual Result<Opened, Drop> open(Bytes datagram, const Moment& moment) = 0;
  // AYIYA: a packet with that payload that carries nothing, an echo request for instance. Nothing else has
  // such.
  [[nodiscard]] virtual std::optional<Buffer> signal(wire::AyiyaOpcode, Bytes, const Moment&) {
    return std::nullopt;
  }
};

// The settings must fit together: no AYIYA over IP or GUE; 6in4 carries IPv6 only.
[[nodiscard]] std::unique_ptr<Encapsulation> make_encapsulation(const EncapsulationSettings& settings,
                                                                wire::AyiyaHashes hashes);

// What every form asks of an inner packet; the error says which of kMalformed to kNested it is.
[[nodiscard]] Result<Opened, Drop> open_inner(Bytes packet);

// Octets of outer headers from the outer IP header to the inner packet.
[[nodiscard]] std::size_t overhead(const Encapsulation& encapsulation, Carrier carrier, Family outer);

}  // namespace hearthcast::tunnel
