// The away client's own BoxLink in the simulated world, with a data thread that only sorts, opens, seals and
// notices media.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/world.hpp"
#include "tunnelmgr/away/box_link.hpp"
#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::sim {

class LinkActor final : public Actor, public away::LinkHost {
 public:
  LinkActor(World& world, const secure::OpenSslIdentity& identity, const Identity& box);

  void on_datagram(const Endpoint& from, Bytes bytes, Time now) override;
  void on_deadline(Time now) override;
  [[nodiscard]] Time next_deadline() const override;

  void learn(const std::vector<nat::Candidate>& candidates) { link->on_candidates(candidates, world_.now()); }
  void watch(const FlowKey& flow);
  [[nodiscard]] bool connected() const { return link->status().phase == away::LinkPhase::kConnected; }

  std::unique_ptr<away::BoxLink> link;
  std::size_t media = 0;
  Time last_media{};
  std::vector<tunnel::ChannelList> lists;
  std::vector<tunnel::Refusal> refusals;
  std::vector<Endpoint> paths;
  int sessions = 0;  // established so far
  tunnel::Capabilities can;

 private:
  class SilentLog final : public Log {
    void write(Level, std::string_view, std::initializer_list<Field>) override {}
  };
  struct Established {
    Endpoint endpoint;
    std::unique_ptr<secure::DtlsSession> session;
  };

  void send(const Endpoint& to, Bytes datagram) override { world_.send(*this, to, datagram); }
  void post(away::Down message) override;
  PeerId next_peer() override { return PeerId{++last_peer_}; }
  [[nodiscard]] tunnel::DeviceHello hello() const override { return {1, "sim", "Laptop", 0, can}; }
  void on_status() override {}
  void on_channels(const tunnel::ChannelList& list) override { lists.push_back(list); }
  void on_refusal(const tunnel::Refusal& refusal) override { refusals.push_back(refusal); }
  void on_path(const Endpoint& endpoint) override { paths.push_back(endpoint); }
  void open_record(Bytes bytes, Time now);

  World& world_;
  SeededRandom random_;
  secure::OpenSslCrypto crypto_;
  secure::DtlsContext dtls_;
  SilentLog log_;
  away::LinkContext context_;
  std::map<PeerId, Established> established_;
  std::int64_t last_peer_ = 0;
  std::optional<FlowKey> watched_;
  bool present_ = false;
};

}  // namespace hearthcast::sim
