// The device's side of pairing over the network: straight to the box's HTTPS server when the link names
// addresses that answer, else through the rendezvous. Source: docs/protocol/pairing.md. Control thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/signalling/pairing.hpp"

namespace hearthcast::http {

struct PairedBox {
  IdentityId id;
  Buffer public_key;
  std::string name;
  std::optional<signalling::RendezvousAddress> rendezvous;
  std::vector<Endpoint> addresses;
  std::string fingerprint;  // what both screens show while the owner decides
  bool direct = false;      // reached without the rendezvous
};

// In words, and whether the box itself said no (then trying again with the same link or code is pointless).
struct PairingFailure {
  std::string text;
  std::optional<signalling::PairingRefusalCode> refused;
};

struct PairingTask {
  std::variant<signalling::PairingLink, signalling::PairingCode> invitation;
  std::optional<signalling::RendezvousAddress> rendezvous;  // needed with a code; overrides a link's
  std::string device_name;
};

class PairingClient {
 public:
  using Handler = std::function<void(Result<PairedBox, PairingFailure>)>;

  // io, log and the interfaces outlive the client. done is called once, later, unless the client is destroyed
  // first.
  PairingClient(boost::asio::io_context& io, Log& log, const Crypto& crypto, Random& random,
                const Identity& device, PairingTask task, Handler done);
  ~PairingClient();
  PairingClient(const PairingClient&) = delete;
  PairingClient& operator=(const PairingClient&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the requests in flight
};

}  // namespace hearthcast::http

namespace boost::system {
[[noreturn]] inline void throw_exception_from_error(const hearthcast::http::PairingFailure& e,
                                                    const source_location&) {
  throw std::runtime_error(e.text);
}
}  // namespace boost::system
