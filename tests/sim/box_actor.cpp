#include "tests/sim/box_actor.hpp"

#include <algorithm>

#include "tunnelmgr/linux/multicast_socket.hpp"
#include "tunnelmgr/wire/gre.hpp"

namespace hearthcast::sim {

BoxActor::BoxActor(World& world, const secure::OpenSslIdentity& identity,
                   std::function<tunnel::Reach()> reach)
    : world_(world),
      random_(world),
      identity_(identity),
      dtls_(secure::DtlsContext::make(identity).value()),
      context_{dtls_, crypto_, random_, log, {"hearthcast sim", "Home", {}, {}, std::move(reach)}},
      data_(data_ports()) {
  app::SessionPorts ports;
  ports.send = [this](const Endpoint& to, Bytes bytes) { world_.send(*this, to, bytes); };
  ports.post = [this](forward::Down message) { take(std::move(message)); };
  ports.join = [this](const FlowKey& key) -> Result<std::unique_ptr<linux::MulticastSocket>, Failure> {
    if (!provider_reachable) {
      return Failure{"the interface is down"};
    }
    ++joins[key];
    return std::unique_ptr<linux::MulticastSocket>();
  };
  ports.remember = [this](DeviceId device, const Endpoint& at) { remembered.emplace_back(device, at); };
  ports.mapped = [this](const std::optional<Endpoint>& mapped) { on_mapped(mapped); };
  ports.changed = [] {};
  sessions = std::make_unique<app::Sessions>(context_, identity_, std::move(ports));
}

std::shared_ptr<const access::Access> BoxActor::access() const {
  return std::make_shared<const access::Access>(std::make_shared<const channels::Catalogue>(catalogue_),
                                                std::make_shared<const access::DeviceList>(devices_));
}

void BoxActor::publish() { sessions->on_access(access(), world_.now()); }

DeviceId BoxActor::pair(const Identity& device, const std::string& name) {
  const DeviceId id = *devices_.paired(device.id(), device.public_key(), name);
  publish();
  return id;
}

void BoxActor::approve(DeviceId device, std::set<ChannelId> channels) {
  (void)devices_.set_state(device, access::DeviceState::kApproved);
  (void)devices_.set_grants(device, {.all = false, .channels = std::move(channels)});
  publish();
}

void BoxActor::revoke(DeviceId device) {
  (void)devices_.set_state(device, access::DeviceState::kRevoked);
  publish();
}

ChannelId BoxActor::add_channel(const std::string& name, const FlowKey& flow) {
  const ChannelId id = catalogue_.apply({.flow = flow, .rtp = false, .name = name, .attributes = {}})->id;
  publish();
  return id;
}

std::vector<FlowKey> BoxActor::joined() const {
  std::vector<FlowKey> keys;
  for (const auto& [id, key] : flows_) {
    keys.push_back(key);
  }
  return keys;
}

void BoxActor::on_datagram(const Endpoint& from, Bytes bytes, Time) { data_.on_datagram(from, bytes); }

DataThread::Ports BoxActor::data_ports() {
  const auto copy = [](Bytes bytes) { return Buffer(bytes.begin(), bytes.end()); };
  DataThread::Ports ports;
  ports.send = [this](const Endpoint& to, Bytes bytes) { world_.send(*this, to, bytes); };
  ports.stun = [this, copy](const Endpoint& from, Bytes bytes) {
    sessions->on_up(datapath::StunReceived{from, copy(bytes)}, world_.now());
  };
  ports.handshake = [this, copy](const Endpoint& from, PeerId peer, Bytes bytes) {
    sessions->on_up(datapath::HandshakeReceived{from, peer, copy(bytes)}, world_.now());
  };
  ports.inner = [this, copy](PeerId peer, const Endpoint& from, Bytes gre) {
    sessions->on_up(datapath::InnerReceived{peer, from, copy(gre)}, world_.now());
  };
  ports.closed = [this](PeerId peer, const std::string& reason) {
    sessions->on_up(datapath::SessionClosed{peer, reason}, world_.now());
  };
  return ports;
}

void BoxActor::take(forward::Down message) {
  if (auto* add = std::get_if<datapath::AddSession>(&message)) {
    data_.add(std::move(*add));
  } else if (const auto* move = std::get_if<datapath::MoveSession>(&message)) {
    data_.move(*move);
  } else if (const auto* remove = std::get_if<datapath::RemoveSession>(&message)) {
    data_.remove(*remove);
  } else if (const auto* inner = std::get_if<datapath::SendInner>(&message)) {
    data_.seal(inner->peer, inner->gre);
  } else if (const auto* pass = std::get_if<datapath::PassToSession>(&message)) {
    data_.pass(*pass, world_.now());
  } else if (const auto* start = std::get_if<forward::AddFlow>(&message)) {
    flows_[start->flow] = start->key;
  } else if (const auto* stop = std::get_if<forward::RemoveFlow>(&message)) {
    flows_.erase(stop->flow);
  } else if (const auto* viewers = std::get_if<forward::SetViewers>(&message)) {
    viewers_.clear();
    for (const auto& row : viewers->table->rows) {
      viewers_[row.flow].push_back(row.peer);
    }
  } else if (const auto* limit = std::get_if<forward::SetFrameLimit>(&message)) {
    frame_limits[limit->peer] = limit->octets;
  }
}

void BoxActor::carry(const FlowKey& flow, std::size_t octets) {
  for (const auto& [id, key] : flows_) {
    if (key != flow) {
      continue;
    }
    // The away end of these tests counts keys and numbers: what is inside does not matter.
    const Buffer gre = wire::encode_gre(
        {.protocol = wire::kGreIp6, .key = static_cast<std::uint32_t>(id.value), .sequence = sequence_[id]++},
        Buffer(octets, 0x60));
    const auto viewers = viewers_.find(id);
    if (viewers != viewers_.end()) {
      for (const PeerId peer : viewers->second) {
        data_.seal(peer, gre);
      }
    }
  }
}

}  // namespace hearthcast::sim
