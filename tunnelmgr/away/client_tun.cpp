// The client and its TUN interface, when it has one.
#include "tunnelmgr/away/client.hpp"

namespace hearthcast::away {

void Client::start_tun() {
  if (!parts_.tun) {
    return;
  }
  TunPorts ports;
  ports.post = [this](Down message) { post(std::move(message)); };
  ports.want = [this](const FlowKey& flow) {
    if (link_) {
      link_->want(flow, Clock::now());
    }
  };
  ports.unwant = [this](const FlowKey& flow) {
    if (link_) {
      link_->unwant(flow, Clock::now());
    }
  };
  ports.send_packet = [this](Bytes ip_packet) {
    if (link_) {
      link_->send_packet(ip_packet, Clock::now());
    }
  };
  other_networks_changed();
  parts_.tun->on_channels(viewing_.channels());
  parts_.tun->start(std::move(ports), Clock::now());
  tun_watch_.emplace(parts_.io, parts_.tun->fd(), [this] {
    parts_.tun->on_readable(Clock::now());
    arm();
  });
}

void Client::on_tun_signal(const TunSignal& signal, Time now) {
  parts_.tun->on_signal(signal);
  if (link_) {
    link_->on_signal({signal.subscription.source, signal.subscription.group, 0}, signal.present, now);
  }
}

// Its own interface's addresses and routes come and go as the box says: that is no new network. Nor is every
// word of the kernel, as when somebody listens on a link.
bool Client::other_networks_changed() {
  auto interfaces = linux::list_interfaces();
  if (!interfaces) {
    return true;
  }
  if (parts_.tun) {
    std::erase_if(*interfaces,
                  [this](const linux::Interface& one) { return one.index == parts_.tun->index(); });
  }
  Networks now{std::move(*interfaces), linux::default_routes()};
  const bool changed = now != networks_;
  networks_ = std::move(now);
  if (changed && parts_.tun) {
    parts_.tun->on_networks(networks_.interfaces);
  }
  return changed;
}

void Client::on_home_hosts(const HomeHosts& hosts) {
  if (parts_.tun) {
    parts_.tun->on_home_hosts(hosts);
  }
}

void Client::on_packet(Bytes ip_packet) {
  if (parts_.tun) {
    parts_.tun->on_packet(ip_packet);
  }
}

}  // namespace hearthcast::away
