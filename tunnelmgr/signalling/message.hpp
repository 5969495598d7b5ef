// Messages between the rendezvous and its clients: JSON text frames. Source: docs/protocol/introduction.md.
// Payloads of introductions and pairings are opaque here: the two ends seal and check them (introduction.hpp,
// pairing.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::signalling {

inline constexpr std::size_t kMaxMessage = std::size_t{64} * 1024;
inline constexpr std::size_t kMaxPayload = std::size_t{8} * 1024;  // of one introduction or pairing message
inline constexpr std::size_t kMaxAllowed = 512;                    // devices of one box
inline constexpr std::size_t kMaxObserved = 4;
inline constexpr std::size_t kMaxMoved = 8;  // endpoints
inline constexpr std::size_t kMaxRelayed = 2;
inline constexpr std::size_t kMaxRelayUrls = 8;
inline constexpr std::size_t kMaxEnrolment = 64;  // characters of a token
inline constexpr std::uint32_t kMaxRetry = 3600;  // seconds that a server may ask a client to stay away

enum class Role : std::uint8_t { kBox, kDevice };

struct Challenge {  // server, first
  std::array<std::uint8_t, 32> nonce{};
  std::string software;
  friend bool operator==(const Challenge&, const Challenge&) = default;
};
struct Hello {  // client
  Role role = Role::kBox;
  Buffer public_key;
  Buffer signature;
  std::string software;
  std::string enrolment = {};  // box: a token of the rendezvous' operator; empty: none
  friend bool operator==(const Hello&, const Hello&) = default;
};
struct PresenceAccess {  // for STUN Binding requests on the data socket
  std::string username;
  std::string password;
  std::uint16_t port = 0;
  std::uint32_t interval_s = 20;
  friend bool operator==(const PresenceAccess&, const PresenceAccess&) = default;
};
struct Welcome {  // server
  PresenceAccess presence;
  Endpoint observed;
  friend bool operator==(const Welcome&, const Welcome&) = default;
};
struct Allow {  // box: who may ask it for an introduction
  std::vector<IdentityId> devices;
  std::uint64_t revision = 0;
  Buffer signature;
  friend bool operator==(const Allow&, const Allow&) = default;
};
struct PairingWindow {  // box; seconds 0 closes it
  std::string locator;
  std::uint32_t seconds = 0;
  friend bool operator==(const PairingWindow&, const PairingWindow&) = default;
};
struct Mapping {  // server
  Endpoint endpoint;
  friend bool operator==(const Mapping&, const Mapping&) = default;
};
// Box: where it may be found from now on, which the server passes to its devices; the server also says so by
// itself when it sees another mapping. Unsigned, a hint: a device sends checks there, and uses what answers.
struct Moved {
  IdentityId box;
  std::vector<Endpoint> endpoints;  // at least one
  friend bool operator==(const Moved&, const Moved&) = default;
};
// Server: relays that the client may use, and with what. Replaces what was said before. The password is worth
// relaying until `lifetime_s` from now: it stays out of every log.
struct RelayAccess {
  std::vector<std::string> urls;  // relay_url.hpp
  std::string username;
  std::string password;
  std::uint32_t lifetime_s = 0;
  friend bool operator==(const RelayAccess&, const RelayAccess&) = default;
};
struct IntroduceRequest {  // device
  std::uint64_t id = 0;
  IdentityId box;
  Buffer payload;
  Buffer signature;
  std::vector<Endpoint> relayed;  // where it is behind a relay: for a box that can only be knocked at
  friend bool operator==(const IntroduceRequest&, const IntroduceRequest&) = default;
};
struct IntroduceOffer {  // server to box
  std::uint64_t id = 0;
  IdentityId device;
  Buffer public_key;
  Buffer payload;
  Buffer signature;
  std::vector<Endpoint> observed;
  friend bool operator==(const IntroduceOffer&, const IntroduceOffer&) = default;
};
struct IntroduceAnswer {  // box to server, server to device (then with observed)
  std::uint64_t id = 0;
  Buffer payload;
  Buffer signature;
  std::vector<Endpoint> observed;
  friend bool operator==(const IntroduceAnswer&, const IntroduceAnswer&) = default;
};
struct IntroduceRefusal {  // the same way; why is inside the signed payload
  std::uint64_t id = 0;
  Buffer payload;
  Buffer signature;
  friend bool operator==(const IntroduceRefusal&, const IntroduceRefusal&) = default;
};
struct PairRequest {  // device; payload: pairing.hpp's JSON
  std::uint64_t id = 0;
  std::variant<IdentityId, std::string> to;  // the box, or a locator
  std::string payload;
  friend bool operator==(const PairRequest&, const PairRequest&) = default;
};
struct PairOffer {  // server to box
  std::uint64_t id = 0;
  IdentityId device;
  std::string payload;
  friend bool operator==(const PairOffer&, const PairOffer&) = default;
};
struct PairAnswer {  // box to server, server to device
  std::uint64_t id = 0;
  std::string payload;
  friend bool operator==(const PairAnswer&, const PairAnswer&) = default;
};

enum class ErrorCode : std::uint8_t {
  kNotPresent,
  kNotAllowed,
  kRate,
  kBadMessage,
  kNoPairing,
  kBadSignature,
  kReplaced,
  kNotEnrolled,  // the operator lets only some boxes in, and this is none of them
  kClosed,       // the operator has closed this box
  kDraining      // the server is about to restart
};
struct Error {  // server
  std::optional<std::uint64_t> id;
  ErrorCode code = ErrorCode::kBadMessage;
  std::string text;
  std::optional<std::uint32_t> retry_s = std::nullopt;  // with kDraining: come back after so long
  std::optional<std::uint64_t> revision =
      std::nullopt;  // to an `allow` that is too old: of the one that is kept
  friend bool operator==(const Error&, const Error&) = default;
};
[[nodiscard]] std::string_view to_string(ErrorCode code);

using Message = std::variant<Challenge, Hello, Welcome, Allow, PairingWindow, Mapping, Moved, RelayAccess,
                             IntroduceRequest, IntroduceOffer, IntroduceAnswer, IntroduceRefusal, PairRequest,
                             PairOffer, PairAnswer, Error>;

[[nodiscard]] std::string encode(const Message& message);
// kUnknownType for a well-formed object of a type that this version does not know: ignore it.
[[nodiscard]] Result<Message> decode_message(std::string_view text);

// What signatures cover: a context that names the use, a zero octet, then the octets.
[[nodiscard]] Buffer hello_signature_input(Bytes nonce, Bytes server_key_hash);
// The canonical list: revision as 8 octets, then the ids in ascending order, each 32 octets.
[[nodiscard]] Buffer allow_signature_input(const Allow& allow);

}  // namespace hearthcast::signalling
