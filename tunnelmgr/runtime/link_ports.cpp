#include "tunnelmgr/runtime/link_ports.hpp"

#include <algorithm>
#include <utility>

#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/linux/link_udp_socket.hpp"
#include "tunnelmgr/runtime/readable_watch.hpp"

namespace hearthcast::runtime {
namespace {

constexpr std::size_t kMessages = 4;  // neighbours say little

bool has(const linux::Interface& link, Family family) {
  return std::ranges::any_of(link.addresses, [&](const linux::InterfaceAddress& at) {
    return !at.tentative && at.address.family() == family;
  });
}

}  // namespace

bool is_neighbour(const linux::Interface& link, const IpAddress& address) {
  if (address.is_ip6() && address.is_link_local()) {
    return true;
  }
  return std::ranges::any_of(link.addresses, [&](const linux::InterfaceAddress& at) {
    return at.address.family() == address.family() && Prefix::of(at.address, at.prefix).contains(address);
  });
}

struct LinkPorts::Port {
  explicit Port(linux::LinkUdpSocket opened) : socket(std::move(opened)) {}
  linux::LinkUdpSocket socket;
  std::unique_ptr<ReadableWatch> watch;  // goes before the socket
};

LinkPorts::LinkPorts(boost::asio::io_context& io, Log& log, Options options,
                     std::function<void(const Arrival&)> on_datagram)
    : io_(io), log_(log), options_(options), on_datagram_(std::move(on_datagram)), batch_(kMessages) {}

LinkPorts::~LinkPorts() = default;

void LinkPorts::refresh(const std::vector<linux::Interface>& links, std::optional<unsigned> without) {
  links_.clear();
  for (const linux::Interface& link : links) {
    if (link.running && link.multicast && !link.loopback && !link.point_to_point && link.index != without) {
      links_.emplace(link.index, link);
    }
  }
  std::erase_if(ports_, [&](const auto& entry) {
    const auto link = links_.find(entry.first.link);
    return link == links_.end() || !has(link->second, entry.first.family);
  });
  for (const auto& [index, link] : links_) {
    for (const Family family : {Family::kIp4, Family::kIp6}) {
      if (has(link, family) && !ports_.contains({index, family})) {
        open({index, family});
      }
    }
  }
}

void LinkPorts::open(const Key& key) {
  linux::LinkUdpOptions options{key.link, key.family, options_.port, std::nullopt};
  if (options_.group) {
    options.group = key.family == Family::kIp4 ? options_.group4 : options_.group6;
  }
  auto socket = linux::LinkUdpSocket::open(options);
  if (!socket) {
    log_.warning("link_port", {{"error", socket.error().text}});
    return;
  }
  auto port = std::make_unique<Port>(std::move(*socket));
  port->watch = std::make_unique<ReadableWatch>(io_, port->socket.fd(),
                                                [this, key, raw = port.get()] { on_readable(key, *raw); });
  ports_[key] = std::move(port);
}

void LinkPorts::on_readable(Key key, Port& port) {
  const auto received = port.socket.receive(batch_);
  const auto link = links_.find(key.link);
  for (const auto& datagram : received.datagrams) {
    if (link != links_.end()) {
      on_datagram_({link->second, datagram.source, datagram.payload,
                    is_neighbour(link->second, datagram.source.address)});
    }
  }
}

bool LinkPorts::send(unsigned link, const Endpoint& to, Bytes payload) {
  const auto port = ports_.find({link, to.address.family()});
  return port != ports_.end() && port->second->socket.send(to, payload);
}

void LinkPorts::send_to_groups(std::uint16_t port, Bytes payload) {
  for (const auto& [key, open] : ports_) {
    (void)open->socket.send({key.family == Family::kIp4 ? options_.group4 : options_.group6, port}, payload);
  }
}

}  // namespace hearthcast::runtime
