// One downstream link: its socket, and a membership router for each family on it.
//
// What the routers want sent goes out at once; the rest of what they say is for the plane. One thread.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "appliance/multicast/machine.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/membership/router.hpp"

namespace hearthcast::multicast {

// The source of queries on that interface: IPv6 its link-local address, IPv4 the first that is not
// link-local, or else that one. nullopt: none, or none that is usable yet.
[[nodiscard]] std::optional<IpAddress> querier_address(const linux::Interface& interface, Family family);

class Downstream {
 public:
  static constexpr int kPacketsAtOnce = 256;  // then others get their turn

  struct Said {
    Family family;
    membership::Action action;  // never SendPacket
  };
  using Sayings = std::vector<Said>;
  using Settings = std::array<membership::RouterSettings, 2>;  // by Family

  Downstream(std::unique_ptr<Link> link, const linux::Interface& interface, const Settings& settings,
             Time now);

  [[nodiscard]] Sayings on_readable(Time now);
  [[nodiscard]] Sayings on_interface(const linux::Interface& interface, Time now);
  [[nodiscard]] Sayings on_settings(const Settings& settings, Time now);
  [[nodiscard]] Sayings on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] std::vector<membership::RouterStatus> status(Time now) const;
  [[nodiscard]] std::uint64_t unsent() const { return unsent_; }  // packets that the kernel refused
  [[nodiscard]] std::uint64_t overflow() { return link_->overflow(); }

 private:
  void take(Family family, membership::Actions actions, Sayings& out);

  std::unique_ptr<Link> link_;
  std::array<membership::Router, 2> routers_;
  std::uint64_t unsent_ = 0;
};

}  // namespace hearthcast::multicast
