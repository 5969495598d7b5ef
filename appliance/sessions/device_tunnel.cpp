#include "appliance/sessions/device_tunnel.hpp"

#include <algorithm>
#include <array>

#include "appliance/channels/label.hpp"
#include "appliance/sessions/tunnel_membership.hpp"
#include "tunnelmgr/tunnel/home_hosts.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"

namespace hearthcast::sessions {
namespace {

constexpr int kMaxUnheardRefusals = 64;
constexpr std::size_t kLongestReason = 120;  // characters

// fe80::1:x, told by the device's number: whoever reads a trace of several tunnels sees which is which.
IpAddress link_local_of(DeviceId device) {
  std::array<std::uint8_t, 16> octets{0xfe, 0x80};
  octets[13] = 1;
  octets[14] = static_cast<std::uint8_t>(device.value >> 8);
  octets[15] = static_cast<std::uint8_t>(device.value);
  return *IpAddress::from_bytes(octets);
}

tunnel::DeviceState state_of(const std::optional<access::Refusal>& standing) {
  if (!standing) {
    return tunnel::DeviceState::kApproved;
  }
  return standing->code == access::RefusalCode::kPending ? tunnel::DeviceState::kPending
                                                         : tunnel::DeviceState::kRevoked;
}

tunnel::RefusalCode wire_code(access::RefusalCode code) {
  switch (code) {
    case access::RefusalCode::kNotGranted:
      return tunnel::RefusalCode::kNotGranted;
    case access::RefusalCode::kPending:
      return tunnel::RefusalCode::kPending;
    case access::RefusalCode::kRevoked:
      return tunnel::RefusalCode::kRevoked;
    case access::RefusalCode::kUnknownChannel:
      return tunnel::RefusalCode::kUnknownChannel;
    case access::RefusalCode::kLimit:
      return tunnel::RefusalCode::kLimit;
    case access::RefusalCode::kNoSignal:
      return tunnel::RefusalCode::kNoSignal;
  }
  return tunnel::RefusalCode::kNotGranted;
}

std::optional<access::RefusalCode> code_of(const std::optional<access::Refusal>& refusal) {
  return refusal ? std::optional(refusal->code) : std::nullopt;
}

}  // namespace

DeviceTunnel::DeviceTunnel(const IdentityId& identity, DeviceId device, BoxFacts facts,
                           std::shared_ptr<const access::Access> access, Time now)
    : identity_(identity),
      device_(device),
      facts_(std::move(facts)),
      access_(std::move(access)),
      routers_{device_router(Family::kIp4, now), device_router(Family::kIp6, now)},
      standing_(code_of(access_->standing(identity))) {
  std::vector<IpAddress> own{tunnel::box_link_local()};
  std::vector<IpAddress> of_device{link_local_of(device)};
  if (facts_.inner) {
    inner_ = facts_.inner->of(device);
    own.insert(own.end(), {inner_->box_ip6, inner_->box_ip4});
    of_device.insert(of_device.end(), {inner_->ip6, inner_->ip4});
  }
  ends_ = {std::move(of_device), std::move(own)};
}

TunnelActions DeviceTunnel::on_inner(Bytes gre, Time now) {
  TunnelActions out;
  const auto packet = tunnel::decode_inner_packet(gre);
  if (closed_ || !packet) {
    ++counters_.malformed;
    return out;
  }
  switch (packet->kind) {
    case tunnel::InnerKind::kControl:
      perform(transport_.on_packet(packet->payload, now), now, out);
      break;
    case tunnel::InnerKind::kMembership:
      if (const auto unicast = tunnel::decode_unicast(packet->payload)) {
        on_unicast(*unicast, packet->payload, out);
        break;
      }
      for (membership::Router& router : routers_) {
        perform(router.on_packet(packet->payload, now), now, out);
      }
      break;
    case tunnel::InnerKind::kMedia:
    case tunnel::InnerKind::kCompact:
      ++counters_.malformed;  // devices send none
      break;
  }
  return out;
}

void DeviceTunnel::on_unicast(const tunnel::UnicastPacket& packet, Bytes ip_packet, TunnelActions& out) {
  if (!ends_.to_box(packet)) {
    ++counters_.malformed;
  } else if (const auto answer = tunnel::answer(packet, ip_packet)) {
    out.push_back(SendInner{tunnel::encode_membership(*answer)});
  }
}

std::optional<tunnel::InnerAddresses> DeviceTunnel::inner() const {
  const bool welcome = greeted_ && !standing_ && !closed_ && close_at_ == kNever;
  return welcome && tunnel::lists(device_capabilities_, tunnel::kCanTun) ? inner_ : std::nullopt;
}

TunnelActions DeviceTunnel::on_deadline(Time now) {
  TunnelActions out;
  if (closed_) {
    return out;
  }
  perform(transport_.on_deadline(now), now, out);
  for (membership::Router& router : routers_) {
    perform(router.on_deadline(now), now, out);
  }
  tell_of_silence(now, out);
  if (now >= close_at_ && !closed_) {
    close(close_reason_, out);
  }
  return out;
}

Time DeviceTunnel::next_deadline() const {
  if (closed_) {
    return kNever;
  }
  return std::min({transport_.next_deadline(), close_at_, held_.next_deadline(), routers_[0].next_deadline(),
                   routers_[1].next_deadline()});
}

TunnelActions DeviceTunnel::on_access(std::shared_ptr<const access::Access> access, Time now) {
  TunnelActions out;
  if (closed_) {
    return out;
  }
  access_ = std::move(access);
  const auto standing = access_->standing(identity_);
  const bool changed = code_of(standing) != standing_;
  standing_ = code_of(standing);
  std::vector<Report> reports;
  for (const auto& [report, granted] : reports_) {
    reports.push_back(report);
  }
  for (const Report& report : reports) {
    decide(report, false, now, out);
  }
  gather(now, out);
  if (!greeted_) {
    return out;
  }
  if (changed) {
    say_hello(now, out);
  } else {
    say_channels(now, out);
    say_home_hosts(now, out);
  }
  return out;
}

void DeviceTunnel::tell_of_silence(Time now, TunnelActions& out) {
  for (const FlowKey& flow : held_.on_deadline(now)) {
    refuse({access::RefusalCode::kNoSignal,
            "Nothing arrives from the provider on this channel. The box keeps listening for it."},
           flow, now, out);
  }
}

TunnelActions DeviceTunnel::end(tunnel::NoticeCode code, const std::string& text, Time now) {
  TunnelActions out;
  if (closed_ || close_at_ != kNever) {
    return out;
  }
  for (const auto& [report, granted] : reports_) {
    held_.release(granted);
  }
  reports_.clear();
  gather(now, out);
  say(tunnel::Notice{code, text}, now, out);
  close_at_ = now + kFarewell;
  close_reason_ = text;
  return out;
}

void DeviceTunnel::perform(tunnel::ControlActions actions, Time now, TunnelActions& out) {
  for (auto& action : actions) {
    if (closed_) {
      return;
    }
    if (auto* packet = std::get_if<tunnel::SendPacket>(&action)) {
      out.push_back(SendInner{std::move(packet->gre)});
    } else if (auto* received = std::get_if<tunnel::MessageReceived>(&action)) {
      if (const auto message = tunnel::decode_control_message(received->body, tunnel::Sender::kDevice)) {
        on_message(*message, now, out);
      } else if (message.error() != ParseError::kUnknownType) {
        ++counters_.malformed;
      }
    } else {
      close("the device does not answer", out);
    }
  }
  if (close_at_ != kNever && transport_.idle() && !closed_) {
    close(close_reason_, out);  // the farewell arrived
  }
}

void DeviceTunnel::perform(membership::Actions actions, Time now, TunnelActions& out) {
  bool changed = false;
  for (auto& action : actions) {
    if (closed_) {
      return;
    }
    if (auto* packet = std::get_if<membership::SendPacket>(&action)) {
      out.push_back(SendInner{tunnel::encode_membership(packet->ip_packet)});
    } else if (const auto* change = std::get_if<membership::FilterChanged>(&action)) {
      changed = take(*change, now, out) || changed;
    } else if (const auto* over = std::get_if<membership::OverLimit>(&action)) {
      refuse({access::RefusalCode::kLimit, "This device asks for more channels at once than the box allows."},
             FlowKey{over->source, over->group, 0}, now, out);
    }
  }
  if (changed) {
    gather(now, out);
  }
}

// Joins before it leaves: a change of filter mode must not interrupt what both want.
bool DeviceTunnel::take(const membership::FilterChanged& change, Time now, TunnelActions& out) {
  const std::set<Report> wanted = subscriptions(change);
  bool changed = false;
  for (const Report& report : wanted) {
    if (!reports_.contains(report) && close_at_ == kNever) {
      decide(report, true, now, out);
      changed = true;
    }
  }
  for (auto at = reports_.lower_bound({std::nullopt, change.group});
       at != reports_.end() && at->first.group == change.group;) {
    if (!wanted.contains(at->first)) {
      held_.release(at->second);
      at = reports_.erase(at);
      changed = true;
    } else {
      ++at;
    }
  }
  return changed;
}

void DeviceTunnel::on_message(const tunnel::ControlMessage& message, Time now, TunnelActions& out) {
  if (const auto* hello = std::get_if<tunnel::DeviceHello>(&message)) {
    if (greeted_ && !transport_.idle()) {
      return;  // a device that says hello faster than it acknowledges would fill our queue
    }
    greeted_ = true;
    device_software_ = hello->software;
    device_capabilities_ = hello->capabilities;
    encapsulation_ = hello->encapsulation;
    channels_revision_ = hello->channels_revision;
    said_reach_.reset();  // it may have forgotten
    said_home_hosts_.reset();
    say_hello(now, out);
  } else if (std::holds_alternative<tunnel::Notice>(message)) {
    close("the device said goodbye", out);
  } else if (const auto* congestion = std::get_if<tunnel::Congestion>(&message)) {
    on_congestion(*congestion, now, out);
  } else if (const auto* path = std::get_if<tunnel::PathTold>(&message)) {
    relayed_because_ = channels::clean_label(path->relayed, kLongestReason);
    out.emplace_back(PathChanged{});
  } else if (std::holds_alternative<tunnel::Ping>(message)) {  // the transport has acknowledged it
    for (membership::Router& router : routers_) {
      perform(router.ask_if_quiet(now), now, out);
    }
  }
}

void DeviceTunnel::say(const tunnel::ControlMessage& message, Time now, TunnelActions& out) {
  perform(transport_.send(tunnel::encode(message), now), now, out);
}

void DeviceTunnel::say_hello(Time now, TunnelActions& out) {
  const auto standing = access_->standing(identity_);
  say(tunnel::BoxHello{.software = facts_.software,
                       .name = facts_.name,
                       .state = state_of(standing),
                       .link_local = link_local_of(device_),
                       .text = standing ? standing->text : "",
                       .capabilities = facts_.capabilities,
                       .inner = tunnel::lists(device_capabilities_, tunnel::kCanTun) ? inner_ : std::nullopt,
                       .encapsulation = encapsulation_},
      now, out);
  if (state_of(standing) == tunnel::DeviceState::kRevoked) {
    for (auto& action : end(tunnel::NoticeCode::kRevoked, standing->text, now)) {
      out.push_back(std::move(action));
    }
  } else {
    say_channels(now, out);
    say_reach(now, out);
    say_home_hosts(now, out);
  }
}

TunnelActions DeviceTunnel::on_reach(Time now) {
  TunnelActions out;
  say_reach(now, out);
  return out;
}

// Only who may watch has to find the box again.
void DeviceTunnel::say_reach(Time now, TunnelActions& out) {
  if (!facts_.reach || !greeted_ || standing_ || closed_ || close_at_ != kNever) {
    return;
  }
  if (auto reach = facts_.reach(); reach != said_reach_) {
    said_reach_ = std::move(reach);
    perform(transport_.send(tunnel::encode(*said_reach_), now), now, out);
  }
}

// Also when it was given nothing: that takes the place of what it heard before.
void DeviceTunnel::say_home_hosts(Time now, TunnelActions& out) {
  if (auto hosts = home_hosts(); inner() && hosts != said_home_hosts_) {
    said_home_hosts_ = std::move(hosts);
    perform(transport_.send(tunnel::encode_home_hosts(*said_home_hosts_), now), now, out);
  }
}

void DeviceTunnel::say_channels(Time now, TunnelActions& out) {
  const std::uint64_t revision = access_->channels_revision(identity_);
  if (standing_ || revision == channels_revision_) {
    return;
  }
  channels_revision_ = revision;
  tunnel::ChannelList list{.revision = revision, .channels = {}};
  for (const channels::Channel* channel : access_->channels_of(identity_)) {
    list.channels.push_back({.id = channel->id,
                             .name = channel->name,
                             .flow = channel->flow,
                             .rtp = channel->rtp,
                             .attributes = channel->attributes});
  }
  // The transport takes 4 MiB: what does not fit goes without its attributes, and beyond that from the end.
  if (tunnel::encode(list).size() > tunnel::kMaxMessageSize) {
    for (tunnel::Channel& channel : list.channels) {
      channel.attributes.clear();
    }
    while (tunnel::encode(list).size() > tunnel::kMaxMessageSize) {
      list.channels.resize(list.channels.size() * 3 / 4);
    }
  }
  say(list, now, out);
}

void DeviceTunnel::refuse(const access::Refusal& refusal, const FlowKey& flow, Time now, TunnelActions& out) {
  refuse(tunnel::Refusal{wire_code(refusal.code), refusal.text, flow}, now, out);
}

void DeviceTunnel::refuse(const tunnel::Refusal& refusal, Time now, TunnelActions& out) {
  ++counters_.refused;
  if (transport_.idle()) {
    unheard_refusals_ = 0;
  }
  if (++unheard_refusals_ > kMaxUnheardRefusals) {
    return;  // it floods reports and hears nothing: words are wasted, and would fill our queue
  }
  say(refusal, now, out);
}

void DeviceTunnel::on_congestion(const tunnel::Congestion& congestion, Time now, TunnelActions& out) {
  if (!held_.watches(congestion.flow)) {
    return;
  }
  ++counters_.congested;
  const auto refusal = narrow_.note(congestion, now);
  for (auto& [report, granted] : reports_) {
    if (granted.erase(congestion.flow) > 0) {
      held_.release({congestion.flow});
    }
  }
  gather(now, out);
  refuse(refusal, now, out);
}

void DeviceTunnel::decide(const Report& report, bool asked, Time now, TunnelActions& out) {
  FlowSet& granted = reports_[report];
  const bool lost_something = !granted.empty();
  held_.release(granted);
  granted.clear();
  const auto decision = access_->watch(identity_, report.source, report.group, held_.count());
  for (const ChannelId id : decision.channels) {
    if (const channels::Channel* channel = access_->catalogue().find(id)) {
      granted.insert(channel->flow);
    }
  }
  for (const auto& refusal : narrow_.withhold(granted, now)) {
    if (asked) {
      refuse(refusal, now, out);
    }
  }
  held_.hold(granted);
  if (decision.refusal && (asked || lost_something)) {
    refuse(*decision.refusal, FlowKey{report.source, report.group, 0}, now, out);
  }
}

void DeviceTunnel::gather(Time now, TunnelActions& out) {
  if (held_.settle(now)) {
    out.push_back(WatchingChanged{});
  }
}

void DeviceTunnel::close(const std::string& reason, TunnelActions& out) {
  if (closed_) {
    return;
  }
  closed_ = true;
  if (held_.clear()) {
    out.push_back(WatchingChanged{});
  }
  out.push_back(CloseTunnel{reason});
}

}  // namespace hearthcast::sessions
