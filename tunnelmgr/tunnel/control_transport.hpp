// Carries control messages through a tunnel that loses, repeats and reorders packets: each is delivered once,
// whole, in the order it was sent (docs/protocol/tunnel.md). One per session and side; both sides are alike.
//
// Not thread-safe. Bounded: 32 fragments in flight, so a peer can make the receiver hold no more than 32
// messages; messages above 4 MiB are refused, and incomplete ones above 8 MiB together wait, all but the one
// that is due.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <variant>
#include <vector>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/tunnel/control_packet.hpp"

namespace hearthcast::tunnel {

struct ControlTiming {
  std::chrono::milliseconds retransmit{200};  // doubles up to the maximum
  std::chrono::milliseconds retransmit_max{2000};
  std::chrono::milliseconds give_up{15000};  // without any acknowledgement while one is due
};

struct SendPacket {
  Buffer gre;
};
struct MessageReceived {
  Buffer body;
};
struct SessionLost {};  // once; the transport does nothing afterwards
using ControlAction = std::variant<SendPacket, MessageReceived, SessionLost>;
using ControlActions = std::vector<ControlAction>;

class ControlTransport {
 public:
  explicit ControlTransport(ControlTiming timing = {}) : timing_(timing) {}

  // Queues a message of 1 to kMaxMessageSize octets; another size is a bug of the caller.
  [[nodiscard]] ControlActions send(Bytes message, Time now);
  // `payload`: what follows the GRE header.
  [[nodiscard]] ControlActions on_packet(Bytes payload, Time now);
  [[nodiscard]] ControlActions on_deadline(Time now);
  // The path was away and is back: what waits for an acknowledgement is due now, and the wait begins anew.
  void on_path_back(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] bool idle() const { return outgoing_.empty(); }  // everything sent is acknowledged
  [[nodiscard]] bool lost() const { return lost_; }
  // Since when something is unacknowledged without any acknowledgement coming; kNever when idle.
  [[nodiscard]] Time waiting_since() const { return in_flight_.empty() ? kNever : last_progress_; }
  [[nodiscard]] std::uint64_t malformed() const { return malformed_; }
  [[nodiscard]] std::uint64_t retransmitted() const { return retransmitted_; }

 private:
  struct Outgoing {
    std::uint32_t id;
    Buffer body;
    std::size_t count;
    std::size_t next = 0;   // the first fragment not sent yet
    std::size_t acked = 0;  // how many
  };
  struct InFlight {
    std::uint32_t id;
    std::uint16_t index;
    Time due;
    std::chrono::milliseconds wait;
  };
  struct Incoming {
    std::size_t count = 0;
    std::map<std::uint16_t, Buffer> fragments;
  };

  void fill_window(ControlActions& actions, Time now);
  void on_fragment(const Fragment& fragment, ControlActions& actions);
  void on_acknowledgement(const Acknowledgement& acknowledgement, Time now);
  [[nodiscard]] Buffer packet(const Outgoing& message, std::uint16_t index) const;

  ControlTiming timing_;
  std::deque<Outgoing> outgoing_;    // ids ascending; removed when wholly acknowledged
  std::vector<InFlight> in_flight_;  // at most kWindow
  std::uint32_t next_outgoing_id_ = 1;
  std::map<std::uint32_t, Incoming> incoming_;
  std::uint32_t next_incoming_id_ = 1;
  std::size_t incoming_size_ = 0;
  Time last_progress_{};
  bool lost_ = false;
  std::uint64_t malformed_ = 0;
  std::uint64_t retransmitted_ = 0;
};

}  // namespace hearthcast::tunnel
