// One away device of the swarm: the client's own path finding, DTLS and membership on a socket of its own,
// without a data thread and without players.
#pragma once

#include <optional>

#include "tunnelmgr/away/box_link.hpp"
#include "tunnelmgr/datapath/port_reader.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"
#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::swarm {

// A log that drops all.
class Silence final : public Log {
 public:
  void write(Level, std::string_view, std::initializer_list<Field>) override {}
};

class Device final : public away::LinkHost, private datapath::PortSink {
 public:
  Device();  // throws when the machine refuses a socket or a key
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  [[nodiscard]] Bytes public_key() const { return identity_.public_key(); }
  [[nodiscard]] int fd() const { return socket_.fd(); }

  void connect(Bytes box_public_key, const Endpoint& box, Time now);
  [[nodiscard]] bool connected() const;
  void want(const FlowKey& flow, Time now) { link_->want(flow, now); }
  void unwant(const FlowKey& flow, Time now) { link_->unwant(flow, now); }
  // A report as it stands, past the client's own bookkeeping: for storms.
  void say(const std::vector<wire::GroupRecord>& records);

  void on_readable(linux::ReceiveBatch& batch, Time now);
  void on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const { return link_ ? link_->next_deadline() : kNever; }

  [[nodiscard]] std::uint64_t refusals() const { return refusals_; }
  [[nodiscard]] std::uint64_t sessions() const {
    return sessions_begun_;
  }  // more than one: it had to begin again
  [[nodiscard]] std::uint64_t unsent() const { return unsent_; }

 private:
  void send(const Endpoint& to, Bytes datagram) override;
  void post(away::Down message) override;
  PeerId next_peer() override { return PeerId{++last_peer_}; }
  [[nodiscard]] tunnel::DeviceHello hello() const override;
  void on_status() override {}
  void on_channels(const tunnel::ChannelList&) override {}
  void on_refusal(const tunnel::Refusal&) override { ++refusals_; }
  void on_path(const Endpoint&) override {}

  void on_stun(const Endpoint& from, Bytes datagram) override;
  void on_handshake(const Endpoint& from, PeerId peer, Bytes datagram) override;
  void on_inner(datapath::Peer& peer, const Endpoint& from, Bytes gre) override;
  void on_closed(PeerId peer, std::string reason) override;

  void seal(PeerId peer, Bytes gre);

  Silence log_;
  secure::OpenSslIdentity identity_ = secure::make_identity();
  secure::DtlsContext dtls_;
  secure::OpenSslCrypto crypto_;
  secure::OpenSslRandom random_;
  linux::UdpSocket socket_;
  datapath::SessionTable table_;
  datapath::PortCounters counters_;
  datapath::RelayRoute route_;
  datapath::PortReader reader_;
  std::optional<away::LinkContext> context_;
  std::optional<away::BoxLink> link_;
  std::int64_t last_peer_ = 0;
  PeerId peer_;  // of the session that is up
  Time now_{};
  std::uint64_t refusals_ = 0;
  std::uint64_t sessions_begun_ = 0;
  std::uint64_t unsent_ = 0;
};

}  // namespace hearthcast::swarm
