// What the router says to PortMapping.
#include <utility>

#include "tunnelmgr/nat/port_mapping.hpp"

namespace hearthcast::nat {
namespace {

std::string meaning(wire::PcpResult result) {
  switch (result) {
    case wire::PcpResult::kNotAuthorized:
      return "it allows no such mappings; its settings can";
    case wire::PcpResult::kNoResources:
    case wire::PcpResult::kUserExceededQuota:
      return "it has no room for another mapping";
    case wire::PcpResult::kNetworkFailure:
      return "it has no address outside now";
    case wire::PcpResult::kAddressMismatch:
      return "there is another router between it and this box";
    case wire::PcpResult::kCannotProvideExternal:
      return "the port is taken";
    default:
      return "error " + std::to_string(static_cast<int>(result));
  }
}

std::string meaning(wire::NatPmpResult result) {
  switch (result) {
    case wire::NatPmpResult::kRefused:
      return "it allows no such mappings; its settings can";
    case wire::NatPmpResult::kNetworkFailure:
      return "it has no address outside now";
    case wire::NatPmpResult::kOutOfResources:
      return "it has no room for another mapping";
    default:
      return "error " + std::to_string(static_cast<int>(result));
  }
}

std::string refusal(MappingWay way, const std::string& why) {
  return "The router refuses by " + std::string(to_string(way)) + ": " + why + ".";
}

}  // namespace

bool PortMapping::epoch_is_good(std::uint32_t epoch, Time now) {
  const bool good = epoch_.on_epoch(epoch, now);
  if (!good) {
    renew_soon(now);
  }
  return good;
}

MappingActions PortMapping::on_datagram(const Endpoint& from, Bytes datagram, Time now) {
  MappingActions out;
  if (!gateway_ || from != Endpoint{gateway_->address, wire::kPcpServerPort}) {
    ++counters_.strangers;
    return out;
  }
  if (const auto pcp = wire::decode_pcp_answer(datagram)) {
    if (!pcp->mapping) {
      return on_announcement(from, datagram, now);
    }
    on_pcp(*pcp, now, out);
  } else if (const auto nat_pmp = wire::decode_nat_pmp_answer(datagram)) {
    on_nat_pmp(*nat_pmp, now, out);
  } else {
    ++counters_.bad;
  }
  return out;
}

MappingActions PortMapping::on_announcement(const Endpoint& from, Bytes datagram, Time now) {
  MappingActions out;
  if (!gateway_ || from.address != gateway_->address) {
    ++counters_.strangers;
    return out;
  }
  std::optional<std::uint32_t> epoch;
  bool moved = false;
  if (const auto pcp = wire::decode_pcp_answer(datagram)) {
    epoch = pcp->epoch;
  } else if (const auto nat_pmp = wire::decode_nat_pmp_answer(datagram)) {
    epoch = nat_pmp->epoch;
    moved = nat_pmp->external && status_.external && *nat_pmp->external != status_.external->address;
  }
  if (!epoch) {
    ++counters_.bad;
    return out;
  }
  // UPnP has no epochs, and a router that refused may have been told better.
  const bool good = epoch_is_good(*epoch, now);
  if (status_.state == MappingState::kRefused && !good) {
    next_ = now;
  } else if (is_mapped() && good && (moved || way_ == MappingWay::kUpnp)) {
    renew_soon(now);
  }
  return out;
}

void PortMapping::on_pcp(const wire::PcpAnswer& answer, Time now, MappingActions& out) {
  const bool ours = way_ == MappingWay::kPcp && (status_.state == MappingState::kAsking || is_mapped()) &&
                    answer.mapping->nonce == nonce_ && answer.mapping->internal_port == port_;
  if (!ours) {
    ++counters_.bad;
    return;
  }
  (void)epoch_.on_epoch(answer.epoch, now);  // what it answers is what it holds now
  if (answer.result != wire::PcpResult::kSuccess) {
    next_way(refusal(way_, meaning(answer.result)), now, out);
  } else if (answer.lifetime == 0) {
    ++counters_.bad;
  } else {
    mapped(answer.mapping->external, std::chrono::seconds{answer.lifetime}, now, out);
  }
}

void PortMapping::on_nat_pmp(const wire::NatPmpAnswer& answer, Time now, MappingActions& out) {
  const bool asking = status_.state == MappingState::kAsking;
  if (way_ == MappingWay::kPcp && asking && answer.result == wire::NatPmpResult::kUnsupportedVersion) {
    next_way({}, now, out);  // the router is older than PCP: RFC 6887 appendix A
    return;
  }
  if (way_ != MappingWay::kNatPmp || (!asking && !is_mapped())) {
    ++counters_.bad;
    return;
  }
  if (answer.result != wire::NatPmpResult::kSuccess) {
    next_way(answer.result == wire::NatPmpResult::kUnsupportedVersion ? std::string()
                                                                      : refusal(way_, meaning(answer.result)),
             now, out);
  } else if (answer.external) {
    (void)epoch_.on_epoch(answer.epoch, now);
    if (!std::exchange(external_address_, answer.external)) {
      tries_ = 0;
      ask(now, out);
    }
  } else if (answer.mapping->internal_port == port_ && answer.mapping->lifetime != 0 && external_address_) {
    (void)epoch_.on_epoch(answer.epoch, now);
    mapped({*external_address_, answer.mapping->external_port},
           std::chrono::seconds{answer.mapping->lifetime}, now, out);
  } else {
    ++counters_.bad;
  }
}

MappingActions PortMapping::on_upnp(const UpnpAnswer& answer, Time now) {
  MappingActions out;
  if (!upnp_open_ || answer.number != upnp_number_) {
    ++counters_.bad;
    return out;
  }
  upnp_open_ = false;
  if (answer.external) {
    mapped(*answer.external, timing_.lease, now, out);
  } else if (!is_mapped()) {
    next_way(answer.error, now, out);
  }
  return out;
}

}  // namespace hearthcast::nat
