// A device in the simulated world: its ICE agent, a DTLS client and the device's end of a tunnel. It connects
// whenever there is a path, and starts a new handshake on demand.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "tests/sim/ice_peer.hpp"
#include "tests/sim/world.hpp"
#include "tests/unit/sessions/device_end.hpp"
#include "tunnelmgr/nat/agent.hpp"
#include "tunnelmgr/secure/dtls_session.hpp"
#include "tunnelmgr/secure/identity.hpp"

namespace hearthcast::sim {

class AwayActor final : public Actor {
 public:
  AwayActor(World& world, const secure::OpenSslIdentity& identity, const Identity& box);

  void on_datagram(const Endpoint& from, Bytes bytes, Time now) override;
  void on_deadline(Time now) override;
  [[nodiscard]] Time next_deadline() const override;

  void learn(const std::vector<nat::Candidate>& candidates) {
    perform(agent.on_candidates(candidates, world_.now()));
  }
  void handshake();  // anew: the box has restarted, or this end has
  void join(const FlowKey& flow) { say(end.join({flow.source, flow.group}, world_.now())); }
  void leave(const FlowKey& flow) { say(end.leave({flow.source, flow.group}, world_.now())); }
  [[nodiscard]] bool established() const {
    return session_ && session_->state() == secure::DtlsState::kEstablished;
  }
  [[nodiscard]] bool closed() const { return session_ && session_->state() == secure::DtlsState::kClosed; }

  nat::Agent agent;
  sessions::DeviceEnd end;
  std::size_t media = 0;  // packets with a key
  std::set<std::uint32_t> flows;

 private:
  void perform(const nat::Actions& actions);
  void send(const std::vector<Buffer>& datagrams);
  void say(const sessions::DeviceEnd::Packets& packets);

  World& world_;
  secure::DtlsContext dtls_;
  IdentityId box_;
  std::unique_ptr<secure::DtlsSession> session_;
  bool greeted_ = false;
};

}  // namespace hearthcast::sim
