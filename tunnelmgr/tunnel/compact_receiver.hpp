// The away side of the compact form: puts fragments together, and remembers the addresses that packets in one
// piece leave out. One per session or data thread.
//
// Bounded: kSlots datagrams wait for their other fragment (a newer one that needs the slot drops the older),
// and kMaxFlows flows are known (a newer one drops the one that was silent longest: the box numbers each
// channel that begins anew). Memory is taken with the first fragment and each new flow, never per packet
// after that. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "tunnelmgr/tunnel/compact_framing.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"

namespace hearthcast::tunnel {

struct ReceivedMedia {
  MediaFrame frame;
  MediaForm form = MediaForm::kCompact;
};

class CompactReceiver {
 public:
  static constexpr std::size_t kSlots = 64;
  static constexpr std::size_t kMaxFlows = 1024;

  // `inner` must be of kind kCompact. The datagram, when it is whole and its addresses are known; its payload
  // is valid until the next call, or as long as the packet's octets for one in one piece.
  [[nodiscard]] std::optional<ReceivedMedia> on_packet(const InnerPacket& inner);
  // Another session numbers its flows anew.
  void reset();

  [[nodiscard]] std::uint64_t malformed() const { return malformed_; }
  [[nodiscard]] std::uint64_t unknown() const { return unknown_; }        // in one piece, of an unknown flow
  [[nodiscard]] std::uint64_t incomplete() const { return incomplete_; }  // given up for want of a fragment

 private:
  struct Slot {
    bool waiting = false;
    std::uint8_t index = 0;  // of the fragment that is here
    FlowId flow;
    std::uint32_t sequence = 0;
    std::size_t size = 0;
    std::array<std::uint8_t, 2 * kMaxCompactPayload> octets;
  };

  struct Known {
    FlowAddresses addresses;
    std::uint64_t used = 0;  // what packets_ was when it last came
  };

  [[nodiscard]] std::optional<Bytes> join(const CompactPacket& packet);
  void learn(FlowId flow, const FlowAddresses& addresses);

  std::unordered_map<FlowId, Known> flows_;
  std::uint64_t packets_ = 0;
  std::vector<Slot> slots_;  // kSlots, or none yet
  std::uint64_t malformed_ = 0;
  std::uint64_t unknown_ = 0;
  std::uint64_t incomplete_ = 0;
};

}  // namespace hearthcast::tunnel
