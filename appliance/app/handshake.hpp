// The handshakes of one device with the box: at most one in progress beside the established session, which it
// replaces only once it is finished and the key was the pinned one. Whether the source may be spoken to at
// all is decided before (ICE has proven it); but a source can be forged, and each new ClientHello costs the
// set-up of a session and a signature, so a device begins no more than two a second. Control thread only.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/base/token_bucket.hpp"
#include "tunnelmgr/secure/dtls_session.hpp"

namespace hearthcast::app {

class Handshake {
 public:
  static constexpr int kHellosAtOnce = 8;  // new ones, after a while without
  static constexpr int kHellosPerSecond = 2;

  // Context must outlive it. `peer` is the only identity that is accepted.
  Handshake(const secure::DtlsContext& context, const IdentityId& peer) : context_(context), peer_(peer) {}

  struct Step {
    std::vector<Buffer> datagrams;                     // to where the datagram came from, in order,
    std::unique_ptr<secure::DtlsSession> established;  // after this session was made known
    std::string failed;                                // why, for the log; empty unless it failed now
    bool foreign = false;   // no handshake of ours: the established session's, perhaps
    bool too_many = false;  // a new ClientHello that came too soon: dropped
  };

  [[nodiscard]] Step on_datagram(const Endpoint& from, Bytes datagram, Time now);
  [[nodiscard]] Step on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const { return session_ ? session_->next_deadline() : kNever; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  void abandon() { session_.reset(); }

 private:
  using ClientRandom = std::array<std::uint8_t, 32>;
  [[nodiscard]] Step settle(std::vector<Buffer> datagrams);

  const secure::DtlsContext& context_;
  IdentityId peer_;
  std::unique_ptr<secure::DtlsSession> session_;  // in progress
  Endpoint endpoint_;
  std::optional<ClientRandom> hello_;  // of the handshake in progress, or of the last that was finished
  TokenBucket hellos_{kHellosAtOnce, kHellosPerSecond};
};

}  // namespace hearthcast::app
