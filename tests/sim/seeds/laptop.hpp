// The laptop of a scenario: the client's own link, relay and introducer, tied together as in
// tunnelmgr/away/client*.cpp, with a data thread that only sorts, opens and seals. It counts the media that
// come by their sequence numbers.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "tests/sim/data_thread.hpp"
#include "tests/sim/seeds/rendezvous.hpp"
#include "tests/sim/seeds/turn_server.hpp"
#include "tunnelmgr/away/box_link.hpp"
#include "tunnelmgr/away/introducer.hpp"
#include "tunnelmgr/away/relay.hpp"
#include "tunnelmgr/nat/presence.hpp"
#include "tunnelmgr/secure/openssl_old_hashes.hpp"

namespace hearthcast::sim {

class Laptop final : public Actor, public away::LinkHost, public Member {
 public:
  Laptop(World& world, Rendezvous& rendezvous, TurnServer& relay, const secure::OpenSslIdentity& laptop,
         const Identity& box);

  void start();  // after it has been placed in the world
  // Its addresses are others now, and it sees it.
  void on_network_change();
  void watch(const FlowKey& flow);
  void leave();

  // A media packet came, from the endpoint (of wire/channel_endpoint.hpp behind the relay).
  std::function<void(std::uint32_t sequence, const Endpoint& from)> on_media = [](std::uint32_t,
                                                                                  const Endpoint&) {};
  std::function<void(const Endpoint&)> on_told = [](const Endpoint&) {};

  [[nodiscard]] bool connected() const { return link_->status().phase == away::LinkPhase::kConnected; }
  [[nodiscard]] const away::BoxLink& link() const { return *link_; }
  [[nodiscard]] bool is_relayed() const;
  [[nodiscard]] int sessions_made() const { return sessions_made_; }
  [[nodiscard]] std::size_t sessions_kept() const { return data_.sessions(); }

  void on_datagram(const Endpoint& from, Bytes bytes, Time now) override;
  void on_deadline(Time now) override;
  [[nodiscard]] Time next_deadline() const override;

  [[nodiscard]] const Actor& actor() const override { return *this; }
  void on_joined(nat::PresenceAccount account) override;
  void on_left() override { introducer_.on_joined(false, world_.now()); }
  void on_answer(const signalling::IntroductionAnswered& answered) override;
  void on_moved(const std::vector<Endpoint>& endpoints) override;

 private:
  class SilentLog final : public Log {
    void write(Level, std::string_view, std::initializer_list<Field>) override {}
  };

  void send(const Endpoint& to, Bytes datagram) override;
  void post(away::Down message) override;
  PeerId next_peer() override { return PeerId{++last_peer_}; }
  [[nodiscard]] tunnel::DeviceHello hello() const override { return {1, "sim", "Laptop", 0, {}}; }
  void on_status() override;
  void on_channels(const tunnel::ChannelList&) override {}
  void on_refusal(const tunnel::Refusal&) override {}
  void on_reach(const tunnel::Reach& reach) override;
  void on_path(const Endpoint& endpoint) override;
  void on_path_doubt(bool doubted) override;

  [[nodiscard]] DataThread::Ports data_ports();
  void on_stun(const Endpoint& from, Bytes bytes);
  void on_inner(PeerId peer, const Endpoint& from, Bytes gre);
  void perform(const nat::PresenceActions& actions);
  void perform(const nat::RelayActions& actions);
  void connect_relay(const nat::RelayConnect& connect);
  void on_stream_message(Bytes message);
  void update_candidates();
  [[nodiscard]] std::vector<nat::Candidate> known_candidates() const;
  void try_out(const std::vector<nat::Candidate>& candidates);

  World& world_;
  Rendezvous& rendezvous_;
  TurnServer& turn_;
  SeededRandom random_;
  secure::OpenSslCrypto crypto_;
  secure::OpenSslOldHashes hashes_;
  secure::DtlsContext dtls_;
  SilentLog log_;
  away::LinkContext context_;
  away::Memory memory_;
  away::Introducer introducer_;
  away::Relay relay_;
  nat::Presence presence_;
  DataThread data_;
  std::unique_ptr<away::BoxLink> link_;
  std::optional<Endpoint> relay_server_;  // whose ChannelData is taken
  std::uint64_t stream_ = 0;              // of turn_
  std::int64_t last_peer_ = 0;
  int sessions_made_ = 0;
  std::optional<Endpoint> last_mapped_;
  std::optional<FlowKey> watched_;
  Time last_media_{};
  bool present_ = false;
};

}  // namespace hearthcast::sim
