#include "tunnelmgr/away/lan_asker.hpp"

#include <utility>

namespace hearthcast::away {

LanAsker::LanAsker(boost::asio::io_context& io, Log& log, Random& random,
                   std::function<void(const std::vector<Endpoint>&)> found)
    : search_(random),
      found_(std::move(found)),
      ports_(io, log, {.group4 = nat::mdns_group(Family::kIp4), .group6 = nat::mdns_group(Family::kIp6)},
             [this](const runtime::LinkPorts::Arrival& arrival) {
               if (const auto boxes = search_.on_answer(arrival.payload, arrival.from, arrival.neighbour);
                   !boxes.empty()) {
                 found_(boxes);
               }
             }),
      timer_(io, [this](Time now) { ask(now); }) {}

void LanAsker::want(bool wanted) {
  search_.want(wanted, Clock::now());
  arm();
}

void LanAsker::on_network_change() {
  search_.on_network_change(Clock::now());
  arm();
}

void LanAsker::ask(Time now) {
  if (const auto question = search_.on_deadline(now)) {
    if (const auto links = linux::list_interfaces()) {
      ports_.refresh(*links, without_);
      ports_.send_to_groups(nat::kMdnsPort, *question);
    }
  }
  arm();
}

}  // namespace hearthcast::away
