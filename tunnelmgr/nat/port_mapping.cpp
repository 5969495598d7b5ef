#include "tunnelmgr/nat/port_mapping.hpp"

#include <algorithm>
#include <utility>

#include "tunnelmgr/nat/jitter.hpp"

namespace hearthcast::nat {

std::string_view to_string(MappingWay way) {
  switch (way) {
    case MappingWay::kPcp:
      return "PCP";
    case MappingWay::kNatPmp:
      return "NAT-PMP";
    case MappingWay::kUpnp:
      return "UPnP";
  }
  return "unknown";
}

bool is_outside(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_private() && !address.is_link_local() &&
         !address.is_loopback() && !address.is_multicast() && address != IpAddress::ip4(0xffffffff);
}

PortMapping::PortMapping(Random& random, std::uint16_t port, MappingTiming timing)
    : random_(&random), port_(port), timing_(timing) {
  status_.text = "There is no router that could be asked: no default route.";
}

MappingActions PortMapping::on_gateway(std::optional<Gateway> gateway, Time now) {
  MappingActions out;
  if (gateway == gateway_) {
    return out;
  }
  // What the former router holds ends by itself: it can hardly be asked any more.
  gateway_ = gateway;
  epoch_.forget();
  external_address_.reset();
  upnp_open_ = false;
  failures_ = 0;
  if (!gateway_) {
    next_ = kNever;
    set_state(MappingState::kNoGateway, "There is no router that could be asked: no default route.", out);
    return out;
  }
  begin(MappingWay::kPcp, now, out);
  return out;
}

void PortMapping::begin(MappingWay way, Time now, MappingActions& out) {
  if (way == MappingWay::kPcp) {
    random_->fill(nonce_);
    why_not_.clear();
  }
  way_ = way;
  tries_ = 0;
  set_state(MappingState::kAsking,
            "Asking the router " + gateway_->address.to_string() + " for the port, by " +
                std::string(to_string(way)) + ".",
            out);
  ask(now, out);
}

void PortMapping::ask(Time now, MappingActions& out) {
  ++tries_;
  ++counters_.asked;
  const auto external = status_.external.value_or(Endpoint{IpAddress::ip4(0), port_});
  switch (way_) {
    case MappingWay::kPcp:
      out.push_back(AskGateway{encode_pcp(wire::PcpMapRequest{
          static_cast<std::uint32_t>(timing_.lease.count()), gateway_->own, nonce_, port_, external})});
      next_ = now + jittered(timing_.pcp_first * (1 << (tries_ - 1)), *random_);
      break;
    case MappingWay::kNatPmp:
      out.push_back(AskGateway{
          external_address_ ? encode_nat_pmp(wire::NatPmpMapRequest{
                                  port_, external.port, static_cast<std::uint32_t>(timing_.lease.count())})
                            : wire::encode_nat_pmp_address_request()});
      next_ = now + timing_.nat_pmp_first * (1 << (tries_ - 1));
      break;
    case MappingWay::kUpnp:
      next_ = kNever;
      if (!std::exchange(upnp_open_, true)) {
        out.push_back(MapByUpnp{++upnp_number_, *gateway_, port_,
                                status_.external ? status_.external->port : std::uint16_t{0}, timing_.lease});
      }
      break;
  }
  if (is_mapped()) {
    plan_renewal(now);
  }
}

void PortMapping::next_way(const std::string& why, Time now, MappingActions& out) {
  if (!why.empty()) {
    why_not_ += (why_not_.empty() ? "" : " ") + why;
  }
  switch (way_) {
    case MappingWay::kPcp:
      external_address_.reset();
      begin(MappingWay::kNatPmp, now, out);
      break;
    case MappingWay::kNatPmp:
      begin(MappingWay::kUpnp, now, out);
      break;
    case MappingWay::kUpnp:
      rest(why_not_.empty() ? "The router " + gateway_->address.to_string() +
                                  " answers neither PCP nor NAT-PMP nor UPnP. Turn one of them on there, or "
                                  "forward UDP port " +
                                  std::to_string(port_) + " to this box by hand."
                            : why_not_,
           now, out);
      break;
  }
}

void PortMapping::rest(std::string why, Time now, MappingActions& out) {
  next_ = now + jittered(std::min(timing_.retry_first * (1 << std::min(failures_, 10)), timing_.retry_last),
                         *random_);
  ++failures_;
  set_state(MappingState::kRefused, std::move(why), out);
}

void PortMapping::mapped(const Endpoint& external, std::chrono::seconds lease, Time now,
                         MappingActions& out) {
  if (external.port == 0 || !is_outside(external.address)) {
    status_.external = external;
    give_back(out);
    rest("The router's own address outside is " + external.address.to_string() +
             ", which is not a public one: it is behind another router, so its port would be of no use.",
         now, out);
    return;
  }
  const bool news = status_.external != external || !is_mapped();
  failures_ = 0;
  lease_end_ = now + std::min(lease, timing_.longest);
  status_ = {MappingState::kMapped, way_, external,
             "The router forwards UDP port " + std::to_string(external.port) + " of " +
                 external.address.to_string() + " to this box, by " + std::string(to_string(way_)) + "."};
  if (news) {
    out.push_back(MappingMoved{});
  }
  plan_renewal(now);
}

// Half of what is left and up to a tenth more, within the eighth of RFC 6887 section 11.2.1.
void PortMapping::plan_renewal(Time now) {
  const Duration left = lease_end_ - now;
  const Duration wait = left / 2 + (jittered(left / 4, *random_) - left / 5);
  next_ = std::min(lease_end_, now + std::max(wait, timing_.renew_least));
}

// The router has started anew: soon, but not in one breath with its other hosts.
void PortMapping::renew_soon(Time now) {
  ++counters_.restarts;
  if (is_mapped()) {
    next_ = std::min(next_, now + jittered(std::chrono::seconds{1}, *random_));
  }
}

MappingActions PortMapping::on_deadline(Time now) {
  MappingActions out;
  if (!gateway_ || now < next_) {
    return out;
  }
  if (is_mapped()) {
    if (now >= lease_end_) {
      begin(MappingWay::kPcp, now, out);
    } else {
      tries_ = 0;
      external_address_.reset();  // it may have changed as well
      ask(now, out);
    }
  } else if (status_.state == MappingState::kRefused) {
    begin(MappingWay::kPcp, now, out);
  } else if (tries_ < (way_ == MappingWay::kPcp ? timing_.pcp_tries : timing_.nat_pmp_tries)) {
    ask(now, out);
  } else {
    next_way({}, now, out);
  }
  return out;
}

void PortMapping::give_back(MappingActions& out) {
  // Who still asks may have been heard already.
  if (!status_.external && status_.state != MappingState::kAsking) {
    return;
  }
  switch (way_) {
    case MappingWay::kPcp:
      out.push_back(AskGateway{
          encode_pcp(wire::PcpMapRequest{0, gateway_->own, nonce_, port_, Endpoint{IpAddress::ip4(0), 0}})});
      break;
    case MappingWay::kNatPmp:
      out.push_back(AskGateway{encode_nat_pmp(wire::NatPmpMapRequest{port_, 0, 0})});
      break;
    case MappingWay::kUpnp:
      out.push_back(UnmapByUpnp{*gateway_, status_.external ? status_.external->port : port_});
      break;
  }
}

MappingActions PortMapping::stop() {
  MappingActions out;
  give_back(out);
  gateway_.reset();
  next_ = kNever;
  upnp_open_ = false;
  set_state(MappingState::kNoGateway, "The port was given back.", out);
  return out;
}

void PortMapping::set_state(MappingState state, std::string text, MappingActions& out) {
  const bool moved = is_mapped();
  status_ = {state, std::nullopt, std::nullopt, std::move(text)};
  if (moved) {
    out.push_back(MappingMoved{});
  }
}

}  // namespace hearthcast::nat
