// The words that programs read: alarms, reasons, states.
#include "appliance/proxy/status.hpp"

namespace hearthcast::proxy {

std::string_view code_text(AlarmCode code) {
  switch (code) {
    case AlarmCode::kLoop:
      return "loop";
    case AlarmCode::kLoopEnded:
      return "loop_ended";
    case AlarmCode::kSameRouter:
      return "same_router";
    case AlarmCode::kTableFull:
      return "table_full";
    case AlarmCode::kInterfaceRefused:
      return "interface_refused";
    case AlarmCode::kOlderQuerier:
      return "older_querier";
    case AlarmCode::kOtherQuerier:
      return "other_querier";
    case AlarmCode::kRouteLimit:
      return "route_limit";
  }
  return "unknown";
}

std::string_view code_text(Drop reason) {
  switch (reason) {
    case Drop::kNotMulticast:
      return "not_multicast";
    case Drop::kLinkScope:
      return "link_scope";
    case Drop::kDeniedByRule:
      return "denied_by_rule";
    case Drop::kBoundary:
      return "boundary";
    case Drop::kNotChosen:
      return "not_chosen";
    case Drop::kSourceMissing:
      return "source_missing";
    case Drop::kUnknownDownstream:
      return "unknown_downstream";
    case Drop::kNoListener:
      return "no_listener";
    case Drop::kNotQuerier:
      return "not_querier";
    case Drop::kBadSource:
      return "bad_source";
    case Drop::kWrongInterface:
      return "wrong_interface";
    case Drop::kUnknownInterface:
      return "unknown_interface";
    case Drop::kRouteLimit:
      return "route_limit";
    case Drop::kCount:
      break;
  }
  return "unknown";
}

std::string_view code_text(Role role) { return role == Role::kUpstream ? "upstream" : "downstream"; }

std::string_view code_text(InterfaceState state) {
  switch (state) {
    case InterfaceState::kAbsent:
      return "absent";
    case InterfaceState::kDown:
      return "down";
    case InterfaceState::kUp:
      return "up";
    case InterfaceState::kRefused:
      return "refused";
    case InterfaceState::kLooped:
      return "looped";
  }
  return "unknown";
}

std::string_view code_text(RouteKind kind) {
  switch (kind) {
    case RouteKind::kListened:
      return "listened";
    case RouteKind::kStatic:
      return "static";
    case RouteKind::kTunnelsOnly:
      return "tunnels";
    case RouteKind::kNegative:
      return "negative";
  }
  return "unknown";
}

std::string_view code_text(Finding finding) {
  switch (finding) {
    case Finding::kInterfaceMissing:
      return "interface_missing";
    case Finding::kUpstreamDown:
      return "upstream_down";
    case Finding::kNoUpstream:
      return "no_upstream";
    case Finding::kNoQuery:
      return "no_query";
    case Finding::kNoPackets:
      return "no_packets";
    case Finding::kOtherSource:
      return "other_source";
    case Finding::kOtherQuerier:
      return "other_querier";
    case Finding::kOlderQuerier:
      return "older_querier";
    case Finding::kLoop:
      return "loop";
    case Finding::kSameRouter:
      return "same_router";
    case Finding::kRefused:
      return "refused";
    case Finding::kWrongInterface:
      return "wrong_interface";
  }
  return "unknown";
}

}  // namespace hearthcast::proxy
