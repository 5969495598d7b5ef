#include "tunnelmgr/trace/responder.hpp"

#include <algorithm>

namespace hearthcast::trace {
namespace {

using wire::Mtrace2Code;
using wire::Mtrace2Type;

constexpr std::uint8_t kNeighbourHopLimit = 255;

bool is_unicast(const IpAddress& address) {
  return !address.is_multicast() && !address.is_unspecified() && !address.is_loopback() &&
         address != IpAddress::ip4(0xFFFFFFFF);
}

wire::Mtrace2Response response(const RouteFacts& facts, Family family, std::uint32_t ntp_time) {
  wire::Mtrace2Response out;
  out.arrival_time = ntp_time;
  out.incoming = facts.incoming.value_or(IpAddress::any(family));
  out.upstream = facts.upstream.value_or(IpAddress::any(family));
  if (family == Family::kIp4) {
    out.outgoing = facts.outgoing.value_or(IpAddress::any(family));
    out.forward_ttl = facts.threshold;
  } else {
    out.incoming_interface = facts.incoming_interface;
    out.outgoing_interface = facts.outgoing_interface;
  }
  out.input_packets = facts.input_packets;
  out.output_packets = facts.output_packets;
  out.flow_packets = facts.flow_packets;
  const std::uint8_t whole = family == Family::kIp4 ? 32 : 128;
  const std::uint8_t any = family == Family::kIp4 ? 127 : 255;
  out.source_prefix = facts.any_source ? any : whole;
  out.code = facts.code;
  return out;
}

// Only blocks that every router passes on may stand in a query that we make into something else.
bool has_unknown_demand(const wire::Mtrace2Message& message) {
  return std::ranges::any_of(message.blocks, [](const auto& block) {
    const auto* extended = std::get_if<wire::Mtrace2Extended>(&block);
    return extended != nullptr && !extended->transitive;
  });
}

}  // namespace

Responder::Responder(ResponderSettings settings, Time now)
    : settings_(settings), tokens_(settings.per_second), refilled_(now) {}

bool Responder::acceptable(const wire::Mtrace2Message& message, const Arrival& arrival,
                           const RouteLookup& router) {
  if (!message.group.is_multicast() || message.group.is_link_scope_multicast() ||
      (message.source && !is_unicast(*message.source)) || !is_unicast(message.client) ||
      message.client_port == 0) {
    ++counters_.bad_addresses;
    return false;
  }
  const bool neighbour = message.type == Mtrace2Type::kQuery ? message.client == arrival.source.address
                                                             : arrival.hop_limit == kNeighbourHopLimit;
  if (!neighbour || !router.on_link(arrival.interface_index, arrival.source.address)) {
    ++counters_.not_on_link;
    return false;
  }
  return true;
}

bool Responder::within_rate(Time now) {
  if (now - refilled_ >= std::chrono::seconds(1)) {
    refilled_ = now;
    tokens_ = settings_.per_second;
  }
  if (tokens_ == 0) {
    ++counters_.over_rate;
    return false;
  }
  --tokens_;
  return true;
}

SendTrace Responder::reply(wire::Mtrace2Message message, const Arrival& arrival) {
  ++counters_.replies;
  const bool from_client = message.type == Mtrace2Type::kQuery;
  message.type = Mtrace2Type::kReply;
  return {{message.client, message.client_port},
          from_client ? arrival.interface_index : 0,
          wire::encode_mtrace2(message)};
}

std::optional<SendTrace> Responder::on_datagram(Bytes datagram, const Arrival& arrival,
                                                const RouteLookup& router, std::uint32_t ntp_time, Time now) {
  auto decoded = datagram.size() <= settings_.largest ? wire::decode_mtrace2(datagram)
                                                      : Result<wire::Mtrace2Message>(ParseError::kBadLength);
  if (!decoded || decoded->type == Mtrace2Type::kReply || decoded->hops == 0 ||
      (decoded->type == Mtrace2Type::kQuery && wire::count_responses(*decoded) > 0)) {
    ++counters_.malformed;
    return std::nullopt;
  }
  auto& message = *decoded;
  if (!acceptable(message, arrival, router) || !within_rate(now)) {
    return std::nullopt;
  }
  const Family family = message.group.family();
  auto facts = router.route(message.group, message.source, arrival.interface_index);
  if (!facts) {
    ++counters_.not_last_hop;
    if (arrival.to_group) {
      return std::nullopt;  // another router on the link answers
    }
    facts.emplace();
    facts->outgoing_interface = arrival.interface_index;
    facts->code =
        message.type == Mtrace2Type::kQuery ? Mtrace2Code::kWrongLastHop : Mtrace2Code::kWrongInterface;
  }
  if (has_unknown_demand(message)) {
    facts->code = Mtrace2Code::kUnknownQuery;
  }
  const auto block = response(*facts, family, ntp_time);
  message.blocks.emplace_back(block);
  if (wire::encode_mtrace2(message).size() > settings_.largest) {
    message.blocks.pop_back();
    for (auto last = message.blocks.rbegin(); last != message.blocks.rend(); ++last) {
      if (auto* earlier = std::get_if<wire::Mtrace2Response>(&*last)) {
        earlier->code = Mtrace2Code::kNoSpace;
        return reply(std::move(message), arrival);
      }
    }
    ++counters_.malformed;  // a query that leaves no room for a single answer
    return std::nullopt;
  }
  if (!settings_.forward || !facts->upstream || wire::ends_trace(facts->code) ||
      wire::count_responses(message) >= message.hops) {
    return reply(std::move(message), arrival);
  }
  ++counters_.forwarded;
  message.type = Mtrace2Type::kRequest;
  return SendTrace{
      {*facts->upstream, wire::kMtrace2Port}, facts->incoming_interface, wire::encode_mtrace2(message)};
}

std::uint32_t ntp_middle(std::int64_t unix_nanoseconds) {
  constexpr std::int64_t kNtpOfUnixEpoch = 2'208'988'800;  // seconds from 1900 to 1970
  const std::int64_t seconds = unix_nanoseconds / 1'000'000'000 + kNtpOfUnixEpoch;
  const std::int64_t fraction = unix_nanoseconds % 1'000'000'000 * 65536 / 1'000'000'000;
  return static_cast<std::uint32_t>((seconds & 0xFFFF) << 16 | fraction);
}

}  // namespace hearthcast::trace
