// The kernel's multicast routing tables of one instance, one for each family. One thread.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "appliance/multicast/machine.hpp"

namespace hearthcast::multicast {

class KernelTables {
 public:
  // `slot` chooses the tables' number: 0 to linux::kMulticastTables - 1, each for one living instance.
  // on_readable is called from the loop; machine outlives this.
  KernelTables(Machine& machine, std::uint32_t slot, std::function<void(Family, Time now)> on_readable);

  // Opens what is not open yet. A Failure when neither family would take the interface.
  [[nodiscard]] Result<void, Failure> add_interface(unsigned index);
  void remove_interface(unsigned index);
  [[nodiscard]] Result<void, Failure> set_route(const linux::Route& route);
  void remove_route(const linux::RouteKey& key);
  [[nodiscard]] std::optional<linux::RouteUpcall> read(Family family);
  [[nodiscard]] std::optional<linux::RouteCounters> counters(const linux::RouteKey& key) const;
  [[nodiscard]] std::optional<linux::InterfaceCounters> counters(unsigned index, Family family) const;

  [[nodiscard]] std::uint32_t slot() const { return slot_; }
  // Why that family is not forwarded; empty when it is, or was not tried.
  [[nodiscard]] const std::string& failure(Family family) const;

 private:
  [[nodiscard]] Table* table(Family family) const { return tables_[static_cast<std::size_t>(family)].get(); }

  Machine& machine_;
  std::uint32_t slot_;
  std::function<void(Family, Time now)> on_readable_;
  std::array<std::unique_ptr<Table>, 2> tables_ = {};  // by Family
  std::array<std::string, 2> failures_ = {};
};

}  // namespace hearthcast::multicast
