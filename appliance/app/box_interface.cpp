#include "appliance/app/box_interface.hpp"

#include <algorithm>

#include "tunnelmgr/linux/multicast_socket.hpp"  // messages own one
#include "tunnelmgr/linux/tun_device.hpp"
#include "tunnelmgr/secure/dtls_session.hpp"  // the same

namespace hearthcast::app {
namespace {

// Removes and adds until `has` is what is wanted; what cannot be added stays out of it, to be tried again.
template <class T, class Add, class Remove>
void bring_to(std::set<T>& has, const std::set<T>& wanted, Add add, Remove remove) {
  std::erase_if(has, [&](const T& one) {
    const bool goes = !wanted.contains(one);
    if (goes) {
      remove(one);
    }
    return goes;
  });
  for (const T& one : wanted) {
    if (!has.contains(one) && add(one)) {
      has.insert(one);
    }
  }
}

}  // namespace

void BoxInterface::complain(const Failure& failure) {
  if (failure.text != said_) {
    log_.warning("box_interface", {{"error", failure.text}});
  }
  said_ = trouble_ = failure.text;
}

void BoxInterface::serve(std::vector<std::uint16_t> tcp_ports, Time now) {
  serves_ = !tcp_ports.empty();
  ports_.post(forward::ServeInner{std::move(tcp_ports)});
  settle(now);
}

void BoxInterface::on_device(PeerId peer, const std::optional<tunnel::InnerAddresses>& addresses,
                             const HomeHosts& hosts, Time now) {
  if (addresses) {
    devices_[peer] = {*addresses, !hosts.empty()};
    ports_.post(forward::AdmitInner{peer, *addresses, hosts});
  } else if (devices_.erase(peer) != 0) {
    ports_.post(forward::ExpelInner{peer});
  } else {
    return;
  }
  settle(now);
}

bool BoxInterface::is_device(const IpAddress& address) const {
  return std::ranges::any_of(devices_, [&](const auto& entry) {
    return entry.second.addresses.ip4 == address || entry.second.addresses.ip6 == address;
  });
}

bool BoxInterface::open(Time now) {
  if (tun_) {
    return true;
  }
  if (now < try_at_) {
    return false;
  }
  try_at_ = now + kRetry;
  auto opened = ports_.open_tun(linux::kLeastTunMtu);
  if (!opened) {
    complain({"devices reach neither the web page nor hosts at home through their tunnels: " +
              opened.error().text});
    return false;
  }
  const linux::TunDevice device(std::move(opened->fd));
  name_ = device.name();
  tun_ = device.duplicate();
  log_.info("box_interface", {{"interface", name_}});
  ports_.post(forward::OpenInner{device.duplicate(), name_});
  return true;
}

// An address that the home network uses would be taken from it.
bool BoxInterface::is_at_home(const IpAddress& address) const {
  for (const auto& interface : home_) {
    for (const auto& entry : interface.addresses) {
      if (entry.address.family() == address.family() &&
          Prefix::of(entry.address, entry.prefix).contains(address)) {
        return true;
      }
    }
  }
  return false;
}

void BoxInterface::settle(Time now) {
  std::set<Address> addresses;
  std::set<Prefix> routes;
  if (tun_ || now >= try_at_) {
    trouble_.clear();
  }
  const auto needs = [this](const auto& entry) { return serves_ || entry.second.goes_home; };
  if (std::ranges::any_of(devices_, needs) && open(now)) {
    home_ = ports_.interfaces();
    for (const auto& [peer, entry] : devices_) {
      const auto& device = entry.addresses;
      if (!serves_ && !entry.goes_home) {
        continue;
      }
      if (!is_at_home(device.box_ip6)) {
        addresses.emplace(device.box_ip6, tunnel::kInnerPrefix6);  // and with it the route to the device
      }
      if (is_at_home(device.box_ip4) || is_at_home(device.ip4)) {
        complain(
            {"the network at home has addresses of network.inner_ip4, so devices reach the web page "
             "and hosts at home through their tunnels over IPv6 only; choose another range"});
        continue;
      }
      addresses.emplace(device.box_ip4, 32);
      routes.insert(Prefix::only(device.ip4));
    }
  }
  if (!tun_) {
    return;
  }
  const auto done = [this](const Result<void, Failure>& added) {
    if (!added) {
      complain(added.error());
    }
    return added.has_value();
  };
  bring_to(
      addresses_, addresses,
      [&](const Address& one) { return done(ports_.add_address(tun_.get(), one.first, one.second)); },
      [&](const Address& one) { ports_.remove_address(tun_.get(), one.first, one.second); });
  bring_to(
      routes_, routes, [&](const Prefix& one) { return done(ports_.add_route(tun_.get(), one)); },
      [&](const Prefix& one) { ports_.remove_route(tun_.get(), one); });
}

}  // namespace hearthcast::app
