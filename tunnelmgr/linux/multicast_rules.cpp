#include "tunnelmgr/linux/multicast_rules.hpp"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/rule.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "tunnelmgr/linux/netlink_error.hpp"

namespace hearthcast::linux {
namespace {

struct Release {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
  void operator()(nl_cache* cache) const { nl_cache_free(cache); }
  void operator()(rtnl_rule* rule) const { rtnl_rule_put(rule); }
};
using Socket = std::unique_ptr<nl_sock, Release>;
using Rule = std::unique_ptr<rtnl_rule, Release>;

int kernel_family(Family family) { return family == Family::kIp4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR; }

// Before the kernel's own rule for everyone's table (32767), and the owner's own among ours.
std::uint32_t own_priority() { return 1000 + static_cast<std::uint32_t>(::getpid()) % 30000; }

Socket connect() {
  Socket socket(nl_socket_alloc());
  return socket && nl_connect(socket.get(), NETLINK_ROUTE) == 0 ? std::move(socket) : nullptr;
}

Rule make_rule(Family family, std::uint32_t table, const std::string& interface) {
  Rule rule(rtnl_rule_alloc());
  if (rule) {
    rtnl_rule_set_family(rule.get(), kernel_family(family));
    rtnl_rule_set_action(rule.get(), FR_ACT_TO_TBL);
    rtnl_rule_set_table(rule.get(), table);
    rtnl_rule_set_prio(rule.get(), own_priority());
    rtnl_rule_set_protocol(rule.get(), kRuleProtocol);
    rtnl_rule_set_iif(rule.get(), interface.c_str());
  }
  return rule;
}

}  // namespace

MulticastRules::~MulticastRules() {
  const auto left = added_;
  for (const auto& [key, name] : left) {
    remove(std::get<0>(key), std::get<1>(key), std::get<2>(key));
  }
}

Result<void, KernelError> MulticastRules::add(Family family, std::uint32_t table, unsigned interface_index) {
  const std::tuple key{family, table, interface_index};
  std::array<char, IF_NAMESIZE> name{};
  if (::if_indextoname(interface_index, name.data()) == nullptr) {
    return KernelError{ENODEV};
  }
  if (const auto known = added_.find(key); known != added_.end()) {
    if (known->second == name.data()) {
      return boost::system::in_place_value;
    }
    remove(family, table, interface_index);  // it was renamed since
  }
  const Socket socket = connect();
  const Rule rule = make_rule(family, table, name.data());
  if (!socket || !rule) {
    return KernelError{ENOMEM};
  }
  const int error = rtnl_rule_add(socket.get(), rule.get(), NLM_F_EXCL);
  if (error < 0 && error != -NLE_EXIST) {
    return from_netlink(error);
  }
  added_.emplace(key, name.data());
  return boost::system::in_place_value;
}

Result<void, KernelError> MulticastRules::remove(Family family, std::uint32_t table,
                                                 unsigned interface_index) {
  const auto known = added_.find({family, table, interface_index});
  if (known == added_.end()) {
    return KernelError{ENOENT};
  }
  const std::string name = known->second;
  added_.erase(known);
  // A new interface of that name may have taken the rule over; the kernel knows one rule for both.
  for (const auto& [key, other] : added_) {
    if (std::get<0>(key) == family && std::get<1>(key) == table && other == name) {
      return boost::system::in_place_value;
    }
  }
  const Socket socket = connect();
  const Rule rule = make_rule(family, table, name);
  const int error = socket && rule ? rtnl_rule_delete(socket.get(), rule.get(), 0) : -NLE_NOMEM;
  if (error < 0) {
    return from_netlink(error);
  }
  return boost::system::in_place_value;
}

void MulticastRules::remove_all(Family family, std::uint32_t table) {
  const Socket socket = connect();
  nl_cache* all = nullptr;
  if (!socket || rtnl_rule_alloc_cache(socket.get(), kernel_family(family), &all) < 0) {
    return;
  }
  const std::unique_ptr<nl_cache, Release> cache(all);
  for (nl_object* object = nl_cache_get_first(all); object != nullptr; object = nl_cache_get_next(object)) {
    auto* const rule = reinterpret_cast<rtnl_rule*>(object);  // libnl's own way of inheriting
    std::uint8_t mark = 0;
    // The kernel tells of all families, whichever was asked for.
    if (rtnl_rule_get_family(rule) == kernel_family(family) && rtnl_rule_get_table(rule) == table &&
        rtnl_rule_get_protocol(rule, &mark) == 0 && mark == kRuleProtocol) {
      static_cast<void>(rtnl_rule_delete(socket.get(), rule, 0));
    }
  }
}

}  // namespace hearthcast::linux
