// The TUN interface of the away client, on its control thread: makes it, gives it the addresses that the box
// says and the routes that the channels need, listens to what the kernel reports there, and passes packets
// between the laptop and the box's own address. Media goes past it (tun_output.hpp).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tunnelmgr/away/messages.hpp"
#include "tunnelmgr/away/tun_membership.hpp"
#include "tunnelmgr/away/tun_routes.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/linux/netd_client.hpp"
#include "tunnelmgr/linux/tun_device.hpp"
#include "tunnelmgr/tunnel/control_message.hpp"
#include "tunnelmgr/tunnel/unicast.hpp"

namespace hearthcast::away {

// What the TUN needs of the client.
struct TunPorts {
  std::function<void(Down)> post;            // to the data thread
  std::function<void(const FlowKey&)> want;  // of the box; port 0
  std::function<void(const FlowKey&)> unwant;
  std::function<void(Bytes ip_packet)> send_packet;  // into the tunnel
};

struct TunPacketCounters {
  std::uint64_t reports = 0;    // MLD and IGMP of the kernel
  std::uint64_t to_box = 0;     // packets to its address inside the tunnel
  std::uint64_t from_box = 0;   // and back
  std::uint64_t to_home = 0;    // to hosts of the home network
  std::uint64_t from_home = 0;  // and back
  std::uint64_t kept_here = 0;  // what the laptop sent there besides: goes nowhere
};

// The interface goes with it, and with the program, however that ends.
class Tun {
 public:
  // The Failure says what to do. netd and log outlive it.
  [[nodiscard]] static Result<std::unique_ptr<Tun>, Failure> open(linux::NetdClient& netd, Log& log,
                                                                  Time now);

  void start(TunPorts ports, Time now);

  [[nodiscard]] int fd() const { return device_.fd(); }
  void on_readable(Time now);
  void on_hello(const tunnel::BoxHello& hello, Time now);
  void on_channels(const std::vector<tunnel::Channel>& channels);
  // Where in the home network this device may go.
  void on_home_hosts(HomeHosts hosts);
  // The laptop's other interfaces.
  void on_networks(const std::vector<linux::Interface>& own);
  void on_signal(const TunSignal& signal);
  void on_refusal(const tunnel::Refusal& refusal);
  void on_packet(Bytes ip_packet);  // out of the tunnel
  void on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const { return membership_.next_deadline(); }

  [[nodiscard]] unsigned index() const { return index_; }
  [[nodiscard]] std::string name() const { return device_.name(); }
  // With the length of their networks, as `ip address` shows them.
  [[nodiscard]] const std::set<std::pair<IpAddress, unsigned>>& addresses() const { return addresses_; }
  [[nodiscard]] const TunMembership& membership() const { return membership_; }
  [[nodiscard]] const TunPacketCounters& counters() const { return counters_; }
  // Of the box, inside the tunnel; empty until it said hello.
  [[nodiscard]] const std::vector<IpAddress>& box_addresses() const { return box_addresses_; }
  [[nodiscard]] std::vector<FlowKey> wanted() const;
  [[nodiscard]] const std::vector<HomeRoute>& home() const { return home_; }

 private:
  Tun(linux::NetdClient& netd, Log& log, linux::OpenedTun opened, Time now);

  void take(Bytes ip_packet, Time now);
  void perform(TunActions actions);
  void set_routes(const std::set<Prefix>& routes);
  void set_home_routes();
  [[nodiscard]] bool goes_home(const IpAddress& host) const;
  void complain(const char* what, const Failure& failure) const;

  linux::NetdClient& netd_;
  Log& log_;
  linux::TunDevice device_;
  unsigned index_;
  TunPorts ports_;
  TunMembership membership_;
  std::set<std::pair<IpAddress, unsigned>> addresses_;
  std::vector<IpAddress> box_addresses_;
  std::set<Prefix> channel_routes_;
  std::set<Prefix> box_routes_;
  HomeHosts home_hosts_;
  std::vector<linux::Interface> own_;
  std::vector<HomeRoute> home_;
  std::set<Prefix> routes_;  // that the interface has
  tunnel::UnicastEnds ends_;
  Buffer room_;
  TunPacketCounters counters_;
};

}  // namespace hearthcast::away
