// Where the provider's multicast comes from: picks the interface and joins on it. Control thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"

namespace hearthcast::app {

// `wished` names the interface; empty: that of the default route, IPv4's before IPv6's, else the only one
// that could be meant. Words say what to do when there is none.
[[nodiscard]] Result<linux::Interface, Failure> pick_upstream(const std::vector<linux::Interface>& interfaces,
                                                              const std::string& wished,
                                                              const std::vector<unsigned>& default_routes);

class Upstream {
 public:
  // How the machine reaches others, and they it.
  struct Ways {
    std::vector<IpAddress> addresses;
    linux::DefaultRoutes routes;
    friend bool operator==(const Ways&, const Ways&) = default;
  };

  explicit Upstream(std::string wished) : wished_(std::move(wished)) {}

  // Looks at the machine's interfaces anew; true when the upstream one is another, or its link came or went.
  bool refresh();
  // On that interface, or on the one that was picked.
  [[nodiscard]] Result<std::unique_ptr<linux::MulticastSocket>, Failure> join(
      const FlowKey& key, std::optional<unsigned> interface_index = std::nullopt);

  [[nodiscard]] const Result<linux::Interface, Failure>& interface() const { return interface_; }
  // But for those inside the tunnels: nothing is upstream, at home, or to be found there.
  [[nodiscard]] const std::vector<linux::Interface>& interfaces() const { return interfaces_; }
  // Addresses of all running interfaces that another machine could reach this one at.
  [[nodiscard]] std::vector<IpAddress> addresses() const;
  [[nodiscard]] Ways ways() const { return {addresses(), routes_}; }

 private:
  std::string wished_;
  std::vector<linux::Interface> interfaces_;
  linux::DefaultRoutes routes_;
  Result<linux::Interface, Failure> interface_ = Failure{"Not looked for yet."};
};

}  // namespace hearthcast::app
