#include "tests/sim/box_actor.hpp"

#include <algorithm>

#include "tunnelmgr/linux/multicast_socket.hpp"
#include "tunnelmgr/secure/dtls_record.hpp"
#include "tunnelmgr/wire/demux.hpp"
#include "tunnelmgr/wire/gre.hpp"

namespace hearthcast::sim {

BoxActor::BoxActor(World& world, const secure::OpenSslIdentity& identity)
    : world_(world),
      random_(world),
      identity_(identity),
      dtls_(secure::DtlsContext::make(identity).value()),
      context_{dtls_, crypto_, random_, log, {"hearthcast sim", "Home"}} {
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
  ports.mapped = [](const std::optional<Endpoint>&) {};
  ports.changed = [] {};
  sessions = std::make_unique<app::Sessions>(context_, identity_, std::move(ports));
}

void BoxActor::publish() {
  sessions->on_access(
      std::make_shared<const access::Access>(std::make_shared<const channels::Catalogue>(catalogue_),
                                             std::make_shared<const access::DeviceList>(devices_)),
      world_.now());
}

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

PeerId BoxActor::peer_at(const Endpoint& endpoint) const {
  PeerId newest;
  for (const auto& [peer, entry] : established_) {
    newest = entry.endpoint == endpoint ? peer : newest;
  }
  return newest;
}

void BoxActor::on_datagram(const Endpoint& from, Bytes bytes, Time now) {
  const Buffer copy(bytes.begin(), bytes.end());
  if (wire::classify(bytes) == wire::DatagramKind::kStun) {
    sessions->on_up(datapath::StunReceived{from, copy}, now);
    return;
  }
  const PeerId peer = peer_at(from);
  if (secure::dtls_content(bytes) != secure::DtlsContent::kApplicationData) {
    sessions->on_up(datapath::HandshakeReceived{from, peer, copy}, now);
    return;
  }
  const auto entry = established_.find(peer);
  Buffer plain(2048);
  if (entry == established_.end()) {
    return;
  }
  if (const auto size = entry->second.session->open(bytes, plain)) {
    plain.resize(*size);
    sessions->on_up(datapath::InnerReceived{peer, from, plain}, now);
  }
}

void BoxActor::seal_to(PeerId peer, Bytes gre) {
  const auto entry = established_.find(peer);
  if (entry == established_.end()) {
    return;
  }
  Buffer record(gre.size() + secure::kDtlsMaxOverhead);
  record.resize(entry->second.session->seal(gre, record));
  world_.send(*this, entry->second.endpoint, record);
}

void BoxActor::take(forward::Down message) {
  if (auto* add = std::get_if<datapath::AddSession>(&message)) {
    established_.emplace(add->peer, Established{add->endpoint, std::move(add->session)});
  } else if (const auto* move = std::get_if<datapath::MoveSession>(&message)) {
    if (const auto entry = established_.find(move->peer); entry != established_.end()) {
      entry->second.endpoint = move->endpoint;
    }
  } else if (const auto* remove = std::get_if<datapath::RemoveSession>(&message)) {
    established_.erase(remove->peer);
  } else if (const auto* inner = std::get_if<datapath::SendInner>(&message)) {
    seal_to(inner->peer, inner->gre);
  } else if (auto* pass = std::get_if<datapath::PassToSession>(&message)) {
    if (const auto entry = established_.find(pass->peer); entry != established_.end()) {
      for (const auto& datagram : entry->second.session->on_datagram(pass->datagram, world_.now())) {
        world_.send(*this, entry->second.endpoint, datagram);
      }
    }
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

void BoxActor::carry(const FlowKey& flow) {
  for (const auto& [id, key] : flows_) {
    if (key != flow) {
      continue;
    }
    // The away end of these tests counts keys and numbers: what is inside does not matter.
    const Buffer gre = wire::encode_gre(
        {.protocol = wire::kGreIp6, .key = static_cast<std::uint32_t>(id.value), .sequence = sequence_[id]++},
        Buffer(1316, 0x60));
    const auto viewers = viewers_.find(id);
    if (viewers != viewers_.end()) {
      for (const PeerId peer : viewers->second) {
        seal_to(peer, gre);
      }
    }
  }
}

}  // namespace hearthcast::sim
