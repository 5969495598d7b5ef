#include "tunnelmgr/away/tun.hpp"

#include <algorithm>
#include <utility>

#include "tunnelmgr/away/tun_routes.hpp"
#include "tunnelmgr/secure/dtls_session.hpp"  // messages own one

namespace hearthcast::away {
namespace {

constexpr unsigned kMtu = linux::kLeastTunMtu;  // of what goes into the tunnel; media may be larger
constexpr std::size_t kLargest = 65536 + 10;
constexpr int kPacketsPerTurn = 64;  // so that a program that floods the interface delays nobody else

// The kernel drops multicast whose source it would not reach by the interface that it came from: of a
// provider, always. The stricter of this and of what holds for all interfaces counts; loose is enough where
// something else than off was chosen for all.
Result<void, Failure> relax_reverse_path_filter(linux::NetdClient& netd, unsigned index) {
  using linux::MachineSetting;
  const auto all = netd.read_setting(MachineSetting::kReversePathFilter);
  if (!all) {
    return all.error();
  }
  return netd.write_setting(MachineSetting::kReversePathFilter, *all == 0 ? 0 : 2, index);
}

}  // namespace

Result<std::unique_ptr<Tun>, Failure> Tun::open(linux::NetdClient& netd, Log& log, Time now) {
  auto opened = netd.open_tun(kMtu);
  if (!opened) {
    return Failure{"--tun: " + opened.error().text};
  }
  const unsigned index = opened->index;
  std::unique_ptr<Tun> tun(new Tun(netd, log, std::move(*opened), now));
  if (const auto relaxed = relax_reverse_path_filter(netd, index); !relaxed) {
    tun->complain("rp_filter", relaxed.error());
  }
  tun->set_routes(tun->channel_routes_);
  log.info("tun_opened", {{"interface", tun->name()}});
  return tun;
}

Tun::Tun(linux::NetdClient& netd, Log& log, linux::OpenedTun opened, Time now)
    : netd_(netd),
      log_(log),
      device_(std::move(opened.fd)),
      index_(opened.index),
      membership_(now),
      channel_routes_(tun_routes({})),
      room_(kLargest) {}

void Tun::start(TunPorts ports, Time now) {
  ports_ = std::move(ports);
  ports_.post(OpenTun{device_.duplicate()});
  on_deadline(now);
}

void Tun::complain(const char* what, const Failure& failure) const {
  log_.warning("tun", {{"what", what}, {"error", failure.text}});
}

void Tun::on_readable(Time now) {
  for (int count = 0; count < kPacketsPerTurn; ++count) {
    const Bytes packet = device_.read(room_);
    if (packet.empty()) {
      return;
    }
    take(packet, now);
  }
}

void Tun::take(Bytes ip_packet, Time now) {
  if (const auto unicast = tunnel::decode_unicast(ip_packet)) {
    if (ends_.to_box(*unicast)) {
      ++counters_.to_box;
      ports_.send_packet(ip_packet);
    } else if (ends_.of_device(unicast->source) && goes_home(unicast->destination)) {
      ++counters_.to_home;  // the box says which ports
      ports_.send_packet(ip_packet);
    } else {
      ++counters_.kept_here;
    }
    return;
  }
  if (const auto report = wire::decode_membership_packet(ip_packet)) {
    ++counters_.reports;
    perform(membership_.on_packet(ip_packet, now));
  } else {
    ++counters_.kept_here;
  }
}

void Tun::on_packet(Bytes ip_packet) {
  const auto unicast = tunnel::decode_unicast(ip_packet);
  if (unicast && ends_.to_device(*unicast)) {
    ++counters_.from_box;
    static_cast<void>(device_.write_packet(ip_packet));
  } else if (unicast && ends_.of_device(unicast->destination) && goes_home(unicast->source)) {
    ++counters_.from_home;
    static_cast<void>(device_.write_packet(ip_packet));
  }
}

bool Tun::goes_home(const IpAddress& host) const {
  return std::ranges::any_of(
      home_, [&](const HomeRoute& one) { return one.obstacle.empty() && one.host.hosts.contains(host); });
}

void Tun::on_home_hosts(HomeHosts hosts) {
  if (hosts != home_hosts_) {
    home_hosts_ = std::move(hosts);
    log_.info("home_hosts", {{"count", std::to_string(home_hosts_.size())}});
    set_home_routes();
  }
}

void Tun::on_networks(const std::vector<linux::Interface>& own) {
  own_ = own;
  set_home_routes();
}

void Tun::set_home_routes() {
  auto home = home_routes(home_hosts_, own_);
  if (home != home_) {
    home_ = std::move(home);
    set_routes(channel_routes_);
  }
}

void Tun::perform(TunActions actions) {
  bool changed = false;
  for (auto& action : actions) {
    if (const auto* query = std::get_if<WriteToTun>(&action)) {
      static_cast<void>(device_.write_packet(query->ip_packet));
    } else if (const auto* start = std::get_if<StartListening>(&action)) {
      log_.info("tun_join", {{"group", start->subscription.to_string()}});
      ports_.want({start->subscription.source, start->subscription.group, 0});
      changed = true;
    } else if (const auto* stop = std::get_if<StopListening>(&action)) {
      log_.info("tun_leave", {{"group", stop->subscription.to_string()}});
      ports_.unwant({stop->subscription.source, stop->subscription.group, 0});
      changed = true;
    } else if (const auto* refused = std::get_if<CannotListen>(&action)) {
      log_.warning("tun_refused",
                   {{"group", refused->subscription.to_string()},
                    {"code", tunnel::to_string(tunnel::RefusalCode::kLimit)},
                    {"error", "programs here listen to more groups at once than the interface carries"}});
    }
  }
  if (changed) {
    TunListens all;
    for (const auto& [subscription, state] : membership_.listened()) {
      all.subscriptions.push_back(subscription);
    }
    ports_.post(std::move(all));
  }
}

void Tun::on_hello(const tunnel::BoxHello& hello, Time now) {
  if (hello.state != tunnel::DeviceState::kApproved) {
    on_home_hosts({});
  }
  std::set<std::pair<IpAddress, unsigned>> addresses{{hello.link_local, 64}};
  std::vector<IpAddress> box{tunnel::box_link_local()};
  box_routes_.clear();
  if (hello.inner) {
    addresses.emplace(hello.inner->ip6, tunnel::kInnerPrefix6);
    addresses.emplace(hello.inner->ip4, 32);
    box.push_back(hello.inner->box_ip6);
    box.push_back(hello.inner->box_ip4);
    box_routes_.insert(Prefix::only(hello.inner->box_ip4));
  }
  if (addresses == addresses_ && box == box_addresses_) {
    return;
  }
  for (const auto& [address, length] : std::exchange(addresses_, {})) {
    if (!addresses.contains({address, length})) {
      static_cast<void>(netd_.remove_tun_address(device_.fd(), address, length));
    } else {
      addresses_.emplace(address, length);
    }
  }
  std::vector<IpAddress> own;
  for (const auto& [address, length] : addresses) {
    own.push_back(address);
    if (addresses_.contains({address, length})) {
      continue;
    }
    if (const auto added = netd_.add_tun_address(device_.fd(), address, length); !added) {
      complain("address", added.error());
    } else {
      addresses_.emplace(address, length);
    }
  }
  box_addresses_ = box;
  ends_ = {std::move(own), std::move(box)};
  set_routes(channel_routes_);
  perform(membership_.on_address(now));
}

void Tun::on_channels(const std::vector<tunnel::Channel>& channels) {
  channel_routes_ = tun_routes(channels);
  set_routes(channel_routes_);
}

// Those of the channels, to the box, and to hosts at home.
void Tun::set_routes(const std::set<Prefix>& routes) {
  std::set<Prefix> wanted = routes;
  wanted.insert(box_routes_.begin(), box_routes_.end());
  for (const HomeRoute& one : home_) {
    if (one.obstacle.empty()) {
      wanted.insert(one.host.hosts);
    }
  }
  for (const Prefix& old : std::set<Prefix>(routes_)) {
    if (!wanted.contains(old)) {
      static_cast<void>(netd_.remove_tun_route(device_.fd(), old));
      routes_.erase(old);
    }
  }
  for (const Prefix& one : wanted) {
    if (routes_.contains(one)) {
      continue;
    }
    if (const auto added = netd_.add_tun_route(device_.fd(), one); !added) {
      complain("route", added.error());
    } else {
      routes_.insert(one);
    }
  }
}

void Tun::on_signal(const TunSignal& signal) { membership_.on_signal(signal.subscription, signal.present); }

void Tun::on_refusal(const tunnel::Refusal& refusal) {
  if (membership_.on_refusal(refusal)) {
    log_.warning("tun_refused",
                 {{"group", membership::Subscription{refusal.flow.source, refusal.flow.group}.to_string()},
                  {"code", tunnel::to_string(refusal.code)},
                  {"error", refusal.text}});
  }
}

void Tun::on_deadline(Time now) {
  if (membership_.next_deadline() <= now) {
    perform(membership_.on_deadline(now));
  }
}

std::vector<FlowKey> Tun::wanted() const {
  std::vector<FlowKey> flows;
  for (const auto& [subscription, state] : membership_.listened()) {
    flows.push_back({subscription.source, subscription.group, 0});
  }
  return flows;
}

}  // namespace hearthcast::away
