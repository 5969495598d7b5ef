#include "appliance/app/lan_presence.hpp"

namespace hearthcast::app {

LanPresence::LanPresence(boost::asio::io_context& io, Log& log, Random& random, std::uint16_t port)
    : port_(port),
      responder_(random),
      ports_(io, log,
             {.port = nat::kMdnsPort,
              .group = true,
              .group4 = nat::mdns_group(Family::kIp4),
              .group6 = nat::mdns_group(Family::kIp6)},
             [this](const auto& arrival) { on_datagram(arrival); }) {}

void LanPresence::on_datagram(const runtime::LinkPorts::Arrival& arrival) {
  nat::LanResponder::Query query{arrival.link.index, arrival.from, arrival.neighbour, {}, port_};
  for (const linux::InterfaceAddress& at : arrival.link.addresses) {
    if (!at.tentative && !at.deprecated && !at.address.is_link_local()) {
      query.addresses.push_back(at.address);
    }
  }
  if (const auto answer = responder_.on_query(arrival.payload, query, Clock::now())) {
    (void)ports_.send(arrival.link.index, answer->to, answer->bytes);
  }
}

}  // namespace hearthcast::app
