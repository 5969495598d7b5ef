#include "appliance/multicast/kernel_tables.hpp"

#include "tunnelmgr/linux/netd_protocol.hpp"

namespace hearthcast::multicast {
namespace {

constexpr std::array kFamilies{Family::kIp4, Family::kIp6};

std::size_t at(Family family) { return static_cast<std::size_t>(family); }

}  // namespace

KernelTables::KernelTables(Machine& machine, std::uint32_t slot,
                           std::function<void(Family, Time now)> on_readable)
    : machine_(machine), slot_(slot), on_readable_(std::move(on_readable)) {}

Result<void, Failure> KernelTables::add_interface(unsigned index) {
  bool taken = false;
  std::string why;
  for (const Family family : kFamilies) {
    auto& table = tables_[at(family)];
    if (!table) {
      auto opened = machine_.open_table(family, linux::kFirstMulticastTable + slot_,
                                        [this, family](Time now) { on_readable_(family, now); });
      failures_[at(family)] = opened ? "" : opened.error().text;
      if (!opened) {
        why = opened.error().text;
        continue;
      }
      table = std::move(*opened);
    }
    const auto added = table->add_interface(index);
    taken = taken || added.has_value();
    why = added ? why : added.error().text;
  }
  return taken ? Result<void, Failure>() : Result<void, Failure>(Failure{why});
}

void KernelTables::remove_interface(unsigned index) {
  for (const auto& table : tables_) {
    if (table) {
      table->remove_interface(index);
    }
  }
}

Result<void, Failure> KernelTables::set_route(const linux::Route& route) {
  Table* own = table(route.key.group.family());
  return own == nullptr ? Result<void, Failure>(Failure{failure(route.key.group.family())})
                        : own->set_route(route);
}

void KernelTables::remove_route(const linux::RouteKey& key) {
  if (Table* own = table(key.group.family())) {
    own->remove_route(key);
  }
}

std::optional<linux::RouteUpcall> KernelTables::read(Family family) {
  Table* own = table(family);
  return own == nullptr ? std::nullopt : own->read();
}

std::optional<linux::RouteCounters> KernelTables::counters(const linux::RouteKey& key) const {
  const Table* own = table(key.group.family());
  return own == nullptr ? std::nullopt : own->counters(key);
}

std::optional<linux::InterfaceCounters> KernelTables::counters(unsigned index, Family family) const {
  const Table* own = table(family);
  return own == nullptr ? std::nullopt : own->counters(index);
}

const std::string& KernelTables::failure(Family family) const { return failures_[at(family)]; }

}  // namespace hearthcast::multicast
