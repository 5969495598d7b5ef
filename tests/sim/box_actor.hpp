// A whole box in the simulated world: the program's own Sessions and a data thread that only sorts, opens and
// seals. Media are sent by hand with carry().
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "appliance/app/sessions.hpp"
#include "tests/sim/data_thread.hpp"
#include "tests/sim/world.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::sim {

class SilentLog final : public Log {
 public:
  void write(Level, std::string_view event, std::initializer_list<Field>) override {
    events.emplace_back(event);
  }
  [[nodiscard]] long count(std::string_view event) const { return std::ranges::count(events, event); }
  std::vector<std::string> events;
};

class BoxActor final : public Actor {
 public:
  // reach: what devices are told of where it is; empty: nothing.
  BoxActor(World& world, const secure::OpenSslIdentity& identity,
           std::function<tunnel::Reach()> reach = nullptr);

  void on_datagram(const Endpoint& from, Bytes bytes, Time now) override;
  void on_deadline(Time now) override { sessions->on_deadline(now); }
  [[nodiscard]] Time next_deadline() const override { return sessions->next_deadline(); }

  // As the owner's page does it.
  DeviceId pair(const Identity& device, const std::string& name);
  void approve(DeviceId device, std::set<ChannelId> channels);
  void revoke(DeviceId device);
  ChannelId add_channel(const std::string& name, const FlowKey& flow);

  // One datagram of a flow from the provider: sealed for every viewer.
  void carry(const FlowKey& flow, std::size_t octets = 1316);
  [[nodiscard]] std::vector<FlowKey> joined() const;
  [[nodiscard]] std::shared_ptr<const access::Access> access() const;
  [[nodiscard]] std::size_t sessions_kept() const { return data_.sessions(); }

  SilentLog log;
  std::map<FlowKey, int> joins;  // upstream joins ever made
  std::vector<std::pair<DeviceId, Endpoint>> remembered;
  std::function<void(const std::optional<Endpoint>&)> on_mapped = [](const auto&) {};
  bool provider_reachable = true;
  std::map<PeerId, std::size_t> frame_limits;  // as the data thread was told last
  std::unique_ptr<app::Sessions> sessions;

 private:
  [[nodiscard]] DataThread::Ports data_ports();
  void take(forward::Down message);
  void publish();

  World& world_;
  SeededRandom random_;
  secure::OpenSslCrypto crypto_;
  secure::OpenSslIdentity identity_;
  secure::DtlsContext dtls_;
  app::PeerContext context_;
  channels::Catalogue catalogue_;
  access::DeviceList devices_;
  DataThread data_;
  std::map<FlowId, FlowKey> flows_;
  std::map<FlowId, std::vector<PeerId>> viewers_;
  std::map<FlowId, std::uint32_t> sequence_;
};

}  // namespace hearthcast::sim
