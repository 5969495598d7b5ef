// What the multicast plane needs of the machine it runs on: links, kernel tables, memberships, and being
// woken. The real one is in linux_machine.hpp; tests bring another.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/multicast_routing.hpp"
#include "tunnelmgr/linux/upstream_memberships.hpp"

namespace hearthcast::multicast {

// MLD and IGMP of one link (linux/link_socket.hpp).
class Link {
 public:
  virtual ~Link() = default;
  [[nodiscard]] virtual std::optional<Bytes> receive() = 0;
  [[nodiscard]] virtual bool gone() const = 0;
  virtual void hear_own_groups_only() = 0;
  [[nodiscard]] virtual Result<void, Failure> send(Bytes ip_packet) = 0;
  [[nodiscard]] virtual std::uint64_t overflow() = 0;
};

// One multicast routing table of the kernel (linux/multicast_routing.hpp).
class Table {
 public:
  virtual ~Table() = default;
  [[nodiscard]] virtual Result<void, Failure> add_interface(unsigned index) = 0;
  virtual void remove_interface(unsigned index) = 0;
  [[nodiscard]] virtual Result<void, Failure> set_route(const linux::Route& route) = 0;
  virtual void remove_route(const linux::RouteKey& key) = 0;
  [[nodiscard]] virtual std::optional<linux::RouteUpcall> read() = 0;
  [[nodiscard]] virtual std::optional<linux::RouteCounters> counters(const linux::RouteKey& key) const = 0;
  [[nodiscard]] virtual std::optional<linux::InterfaceCounters> counters(unsigned index) const = 0;
};

// The host's side on upstreams (linux/upstream_memberships.hpp).
class Memberships {
 public:
  using Answer = linux::UpstreamMemberships::Answer;
  using ReportAs = linux::UpstreamMemberships::ReportAs;
  virtual ~Memberships() = default;
  [[nodiscard]] virtual Answer set(unsigned index, const IpAddress& group, const SourceFilter& filter) = 0;
  virtual void forget(unsigned index) = 0;
  [[nodiscard]] virtual SourceFilter joined(unsigned index, const IpAddress& group) const = 0;
  virtual Result<std::size_t, Failure> report_again(Link& link, const ReportAs& as) = 0;
};

class Machine {
 public:
  virtual ~Machine() = default;
  // on_readable is called whenever something may wait there, until the result is destroyed; never from
  // inside.
  [[nodiscard]] virtual Result<std::unique_ptr<Link>, Failure> open_link(
      unsigned index, std::function<void(Time now)> on_readable) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Table>, Failure> open_table(
      Family family, std::uint32_t number, std::function<void(Time now)> on_readable) = 0;
  [[nodiscard]] virtual Memberships& memberships() = 0;
  // Plane::on_deadline is to be called then; replaces what was asked for before.
  virtual void wake_at(Time deadline) = 0;
};

}  // namespace hearthcast::multicast
