#include "tunnelmgr/linux/kernel_routes.hpp"

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
// After netinet/in.h, which they have to agree with.
#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <algorithm>
#include <cstring>

namespace hearthcast::linux {
namespace {

static_assert(MAXVIFS == kPlaces && MAXMIFS == kPlaces);

in_addr to_ip4(const IpAddress& address) {
  in_addr out{};
  std::memcpy(&out, address.bytes().data(), sizeof out);
  return out;
}

sockaddr_in6 to_ip6(const IpAddress& address) {
  sockaddr_in6 out{};
  out.sin6_family = AF_INET6;
  std::memcpy(&out.sin6_addr, address.bytes().data(), sizeof out.sin6_addr);
  return out;
}

mfcctl entry4(const IpAddress& source, const IpAddress& group) {
  mfcctl entry{};
  entry.mfcc_origin = to_ip4(source);
  entry.mfcc_mcastgrp = to_ip4(group);
  return entry;
}

mf6cctl entry6(const IpAddress& source, const IpAddress& group) {
  mf6cctl entry{};
  entry.mf6cc_origin = to_ip6(source);
  entry.mf6cc_mcastgrp = to_ip6(group);
  return entry;
}

template <class T>
bool tell(int fd, int level, int name, const T& value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

template <class Counters>
KernelRouteCounters route_counters(const Counters& from) {
  return {from.pktcnt, from.bytecnt, from.wrong_if};
}

template <class Counters>
KernelInterfaceCounters interface_counters(const Counters& from) {
  return {from.icount, from.ibytes, from.ocount, from.obytes};
}

}  // namespace

bool kernel_add_interface(int fd, Family family, unsigned place, unsigned interface_index) {
  if (family == Family::kIp4) {
    vifctl interface {};
    interface.vifc_vifi = static_cast<vifi_t>(place);
    interface.vifc_flags = VIFF_USE_IFINDEX;
    interface.vifc_threshold = 1;
    interface.vifc_lcl_ifindex = static_cast<int>(interface_index);
    return tell(fd, IPPROTO_IP, MRT_ADD_VIF, interface);
  }
  mif6ctl interface {};
  interface.mif6c_mifi = static_cast<mifi_t>(place);
  interface.vifc_threshold = 1;
  interface.mif6c_pifi = static_cast<std::uint16_t>(interface_index);
  return tell(fd, IPPROTO_IPV6, MRT6_ADD_MIF, interface);
}

void kernel_remove_interface(int fd, Family family, unsigned place) {
  if (family == Family::kIp4) {
    vifctl interface {};
    interface.vifc_vifi = static_cast<vifi_t>(place);
    tell(fd, IPPROTO_IP, MRT_DEL_VIF, interface);
  } else {
    tell(fd, IPPROTO_IPV6, MRT6_DEL_MIF, static_cast<mifi_t>(place));
  }
}

bool kernel_put_route(int fd, const IpAddress& source, const IpAddress& group, unsigned input,
                      const Thresholds& outputs) {
  if (group.is_ip4()) {
    mfcctl entry = entry4(source, group);
    entry.mfcc_parent = static_cast<vifi_t>(input);
    std::ranges::copy(outputs, entry.mfcc_ttls);
    return tell(fd, IPPROTO_IP, MRT_ADD_MFC, entry);
  }
  mf6cctl entry = entry6(source, group);
  entry.mf6cc_parent = static_cast<mifi_t>(input);
  for (unsigned place = 0; place < kPlaces; ++place) {
    if (outputs[place] != kNowhere) {
      entry.mf6cc_ifset.ifs_bits[0] |= 1U << place;
    }
  }
  return tell(fd, IPPROTO_IPV6, MRT6_ADD_MFC, entry);
}

void kernel_remove_route(int fd, const IpAddress& source, const IpAddress& group) {
  if (group.is_ip4()) {
    tell(fd, IPPROTO_IP, MRT_DEL_MFC, entry4(source, group));
  } else {
    tell(fd, IPPROTO_IPV6, MRT6_DEL_MFC, entry6(source, group));
  }
}

std::optional<KernelRouteCounters> kernel_route_counters(int fd, const IpAddress& source,
                                                         const IpAddress& group) {
  if (group.is_ip4()) {
    sioc_sg_req request{};
    request.src = to_ip4(source);
    request.grp = to_ip4(group);
    return ::ioctl(fd, SIOCGETSGCNT, &request) == 0 ? std::optional(route_counters(request)) : std::nullopt;
  }
  sioc_sg_req6 request{};
  request.src = to_ip6(source);
  request.grp = to_ip6(group);
  return ::ioctl(fd, SIOCGETSGCNT_IN6, &request) == 0 ? std::optional(route_counters(request)) : std::nullopt;
}

std::optional<KernelInterfaceCounters> kernel_interface_counters(int fd, Family family, unsigned place) {
  if (family == Family::kIp4) {
    sioc_vif_req request{};
    request.vifi = static_cast<vifi_t>(place);
    return ::ioctl(fd, SIOCGETVIFCNT, &request) == 0 ? std::optional(interface_counters(request))
                                                     : std::nullopt;
  }
  sioc_mif_req6 request{};
  request.mifi = static_cast<mifi_t>(place);
  return ::ioctl(fd, SIOCGETMIFCNT_IN6, &request) == 0 ? std::optional(interface_counters(request))
                                                       : std::nullopt;
}

}  // namespace hearthcast::linux
