// Messages of the tunnel's control channel (docs/protocol/tunnel.md): JSON in UTF-8, one object with a
// `type`. Unknown members are ignored; an unknown type is kUnknownType, which a receiver passes over.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/tunnel/capabilities.hpp"
#include "tunnelmgr/tunnel/form.hpp"
#include "tunnelmgr/tunnel/inner_addresses.hpp"

namespace hearthcast::tunnel {

inline constexpr int kControlVersion = 1;

struct DeviceHello {
  int version = kControlVersion;
  std::string software;
  std::string name;
  std::uint64_t channels_revision = 0;  // of the list that the device has; 0: none
  Capabilities capabilities{};
  Form encapsulation = Form::kGre;  // that it asks for
  friend bool operator==(const DeviceHello&, const DeviceHello&) = default;
};

enum class DeviceState : std::uint8_t { kApproved, kPending, kRevoked };

struct BoxHello {
  int version = kControlVersion;
  std::string software;
  std::string name;
  DeviceState state = DeviceState::kPending;
  IpAddress link_local;  // the device's address inside this tunnel
  std::string text;      // for people, when not approved
  Capabilities capabilities{};
  std::optional<InnerAddresses> inner{};  // for a device that lists kCanTun
  Form encapsulation = Form::kGre;        // that media come in, where the path carries it
  friend bool operator==(const BoxHello&, const BoxHello&) = default;
};

struct Channel {
  ChannelId id;
  std::string name;
  FlowKey flow;
  bool rtp = false;
  std::map<std::string, std::string> attributes;  // the playlist's extended attributes
  friend bool operator==(const Channel&, const Channel&) = default;
};

struct ChannelList {
  std::uint64_t revision = 0;
  std::vector<Channel> channels;  // only what the device may watch, in the owner's order
  friend bool operator==(const ChannelList&, const ChannelList&) = default;
};

enum class RefusalCode : std::uint8_t {
  kNotGranted,
  kPending,
  kRevoked,
  kUnknownChannel,
  kLimit,
  kNoSignal,
  kPath
};

// The negative answer that MLD and IGMP do not have. Port 0 stands for all ports of the group.
struct Refusal {
  RefusalCode code = RefusalCode::kNotGranted;
  std::string text;
  FlowKey flow;
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

enum class NoticeCode : std::uint8_t { kRevoked, kReplaced, kShutdown };

struct Notice {
  NoticeCode code = NoticeCode::kShutdown;
  std::string text;
  friend bool operator==(const Notice&, const Notice&) = default;
};

struct Ping {
  std::uint64_t nonce = 0;
  friend bool operator==(const Ping&, const Ping&) = default;
};

// The device: this flow does not get through whole, and for so long that repair will not help (RFC 8084). The
// box stops sending it there, and says by a refusal (kPath) what would fit. Only to a box that lists
// `repair`.
struct Congestion {
  FlowKey flow;
  std::uint64_t arriving_bps = 0;
  std::uint64_t needed_bps = 0;
  friend bool operator==(const Congestion&, const Congestion&) = default;
};

// The device: why its packets go through a relay, as far as it knows; empty: they do not (any more).
struct PathTold {
  std::string relayed;
  friend bool operator==(const PathTold&, const PathTold&) = default;
};

using ControlMessage =
    std::variant<DeviceHello, BoxHello, ChannelList, Refusal, Notice, Ping, Congestion, PathTold>;

// Who sent it: the two hellos share a type and differ in their members.
enum class Sender : std::uint8_t { kBox, kDevice };

// Texts that are not UTF-8 get replacement characters.
[[nodiscard]] Buffer encode(const ControlMessage& message);
[[nodiscard]] Result<ControlMessage> decode_control_message(Bytes body, Sender sender);

// The words of the protocol, e.g. "not_granted"; also used by logs and status pages.
[[nodiscard]] const char* to_string(RefusalCode code);
[[nodiscard]] const char* to_string(DeviceState state);
[[nodiscard]] const char* to_string(NoticeCode code);

}  // namespace hearthcast::tunnel
