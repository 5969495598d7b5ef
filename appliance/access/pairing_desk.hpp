// The box's side of pairing: one window at a time, its secrets, its tries, and the answers to devices.
// Source: docs/protocol/pairing.md. Pure; times are monotonic, so a box that boots in 1970 expires windows
// right.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/signalling/pairing.hpp"

namespace hearthcast::access {

inline constexpr std::chrono::minutes kPairingWindow{10};
inline constexpr int kPairingTries = 5;
inline constexpr std::size_t kPairingWindowsPerHour = 20;

// What a pairing tells a device about the box.
struct BoxCard {
  std::string name;
  std::optional<signalling::RendezvousAddress> rendezvous;
  std::vector<Endpoint> addresses;  // of the HTTPS API, most likely first
};

class PairingDesk {
 public:
  enum class State { kOpen, kUsed, kExpired, kTooManyTries, kClosed };

  // What may be shown to everybody who is signed in.
  struct Window {
    std::int64_t id = 0;  // counts from 1 in this run of the box
    State state = State::kOpen;
    Time closes{};
    int tries_left = kPairingTries;
    std::optional<DeviceId> device;  // when used
  };
  // What only the owner sees, while the window is open.
  struct Invitation {
    std::string link;
    std::string code;
    std::string locator;  // registered at the rendezvous
  };
  // The secret was right. The caller stores the device and then calls settle(); until then nothing has
  // happened, so a full disk costs no window.
  struct Accepted {
    IdentityId identity;
    Buffer public_key;
    std::string name;
    signalling::PairingAnswer answer;
    bool repeated = false;  // the answer was lost on the way and the device asks again: store nothing
  };
  using Verdict = std::variant<Accepted, signalling::PairingRefusal>;

  // The three outlive the desk.
  PairingDesk(const Crypto& crypto, Random& random, const Identity& box);

  // Closes a window that is open. Refused when it would be one too many within an hour.
  [[nodiscard]] Result<Window, Failure> open(const BoxCard& card, Time now);
  // False when that window is not open.
  [[nodiscard]] bool close(std::int64_t id, Time now);
  void on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] const std::optional<Window>& newest() const { return window_; }
  [[nodiscard]] const Invitation* invitation() const;  // of the open window

  // A wrong secret costs a try.
  [[nodiscard]] Verdict judge(const signalling::PairingRequest& request, const BoxCard& card, Time now);
  void settle(const signalling::PairingRequest& request, const Accepted& accepted, DeviceId device);

 private:
  [[nodiscard]] bool is_open() const { return window_ && window_->state == State::kOpen; }
  void end(State state);
  [[nodiscard]] signalling::PairingRefusal refusal() const;

  const Crypto& crypto_;
  Random& random_;
  const Identity& box_;
  std::optional<Window> window_;
  Invitation invitation_;
  Buffer link_key_;
  Buffer code_key_;
  std::optional<signalling::PairingRequest> settled_request_;
  std::optional<Accepted> settled_;
  std::deque<Time> opened_;  // within the last hour
  std::int64_t last_id_ = 0;
};

}  // namespace hearthcast::access
