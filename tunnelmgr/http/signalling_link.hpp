// Runs the rendezvous client machine over a WebSocket: for box and device. Control thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/signalling/client.hpp"
#include "tunnelmgr/signalling/pairing_code.hpp"

namespace hearthcast::secure {
class TlsContext;
}

namespace hearthcast::http {

class SignallingLink {
 public:
  // What the owner hears of, one at a time: every ClientAction but Connect, SendText and Disconnect. Never
  // called from inside start(), but possibly from inside the other functions.
  using EventHandler = std::function<void(signalling::ClientAction)>;

  // A Failure when the address is unusable (no URL, or the system's authorities cannot be read). io, log,
  // identity and random outlive the link.
  [[nodiscard]] static Result<std::unique_ptr<SignallingLink>, Failure> make(
      boost::asio::io_context& io, Log& log, signalling::Role role, const Identity& identity, Random& random,
      const signalling::RendezvousAddress& at, EventHandler handler);
  ~SignallingLink();
  SignallingLink(const SignallingLink&) = delete;
  SignallingLink& operator=(const SignallingLink&) = delete;

  void set_enrolment(std::string token);  // before start(); as the function of signalling::Client
  void start();
  void stop();  // closes the connection; no event comes afterwards

  // As the functions of signalling::Client of the same names.
  void on_network_change();
  void set_allowed(std::vector<IdentityId> devices, std::uint64_t revision);
  void tell_moved(std::vector<Endpoint> endpoints);
  void open_pairing(std::string locator, Time until);
  void close_pairing();
  void answer_introduction(std::uint64_t id, signalling::Sealed sealed);
  void refuse_introduction(std::uint64_t id, signalling::Sealed sealed);
  void answer_pairing(std::uint64_t id, std::string payload);
  // The id is known before any event with it comes.
  std::uint64_t introduce(const IdentityId& box, signalling::Sealed sealed,
                          std::vector<Endpoint> relayed = {});
  std::uint64_t pair(std::variant<IdentityId, std::string> to, std::string payload);

  [[nodiscard]] signalling::Client::State state() const;
  [[nodiscard]] const std::string& last_error() const;
  [[nodiscard]] std::optional<signalling::ErrorCode> refused() const;
  // The rendezvous' address of the present connection: its host is where UDP presence goes. Unspecified
  // without one.
  [[nodiscard]] Endpoint server() const;

 private:
  struct State;
  explicit SignallingLink(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the connection attempt in flight
};

}  // namespace hearthcast::http
