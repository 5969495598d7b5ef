// The box's own place inside the tunnels, on the control thread: a TUN interface by which devices with one of
// their own reach the box's web page. It is made when the first such device is there, and has addresses and
// routes only for those that are. What passes it is decided on the data thread (forward/inner_gate.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "appliance/forward/messages.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/tun_interface.hpp"

namespace hearthcast::app {

// The part of linux::NetdClient that is needed, by the same names; `tun` is a descriptor of the interface.
struct BoxInterfacePorts {
  std::function<Result<linux::OpenedTun, Failure>(unsigned mtu)> open_tun;
  std::function<Result<void, Failure>(int tun, const IpAddress&, unsigned length)> add_address;
  std::function<void(int tun, const IpAddress&, unsigned length)> remove_address;
  std::function<Result<void, Failure>(int tun, const Prefix&)> add_route;
  std::function<void(int tun, const Prefix&)> remove_route;
  std::function<void(forward::Down)> post;                    // to the data thread
  std::function<std::vector<linux::Interface>()> interfaces;  // of the machine, without those of tunnels
};

class BoxInterface {
 public:
  static constexpr std::chrono::seconds kRetry{
      60};  // after a failure, when a device comes or the network changes

  BoxInterface(BoxInterfacePorts ports, Log& log) : ports_(std::move(ports)), log_(log) {}

  // The box's TCP ports that devices reach; none: there is no interface but for those that may go to hosts.
  void serve(std::vector<std::uint16_t> tcp_ports, Time now);
  // A device with addresses inside its tunnel is there and approved, and may go to these hosts at home;
  // nullopt: not any more.
  void on_device(PeerId peer, const std::optional<tunnel::InnerAddresses>& addresses, const HomeHosts& hosts,
                 Time now);

  // The machine's interfaces are others: what the network at home uses is left to it.
  void on_network_change(Time now) { settle(now); }

  [[nodiscard]] bool serves() const { return serves_; }  // any port
  // Whether a device that is there has this address.
  [[nodiscard]] bool is_device(const IpAddress& address) const;
  [[nodiscard]] std::size_t devices() const { return devices_.size(); }
  [[nodiscard]] const std::string& name() const { return name_; }        // empty: none was made
  [[nodiscard]] const std::string& trouble() const { return trouble_; }  // in words; empty: none

 private:
  using Address = std::pair<IpAddress, unsigned>;

  void settle(Time now);
  [[nodiscard]] bool open(Time now);
  [[nodiscard]] bool is_at_home(const IpAddress& address) const;
  void complain(const Failure& failure);

  BoxInterfacePorts ports_;
  Log& log_;
  bool serves_ = false;
  struct Device {
    tunnel::InnerAddresses addresses;
    bool goes_home = false;
  };
  std::map<PeerId, Device> devices_;
  linux::Fd tun_;
  std::string name_;
  std::string trouble_;
  std::string said_;  // the last of it in the log
  Time try_at_{};
  std::vector<linux::Interface> home_;
  std::set<Address> addresses_;  // that the interface has
  std::set<Prefix> routes_;
};

}  // namespace hearthcast::app
