#include "tunnelmgr/trace/client.hpp"

namespace hearthcast::trace {
namespace {

std::vector<wire::Mtrace2Response> responses(const wire::Mtrace2Message& message) {
  std::vector<wire::Mtrace2Response> path;
  for (const auto& block : message.blocks) {
    if (const auto* response = std::get_if<wire::Mtrace2Response>(&block)) {
      path.push_back(*response);
    }
  }
  return path;
}

}  // namespace

Client::Client(Query query, ClientTiming timing, std::uint16_t first_id, Time now)
    : query_(query),
      timing_(timing),
      id_(static_cast<std::uint16_t>(first_id - 1)),
      hops_(timing.hops),
      deadline_(now) {}

SendQuery Client::ask(Time now) {
  ++tries_;
  ++id_;  // a new number each time, so that the round trip is that of the query which was answered
  sent_ = now;
  deadline_ = now + timing_.timeout;
  wire::Mtrace2Message message;
  message.hops = hops_;
  message.group = query_.group;
  message.source = query_.source;
  message.client = query_.client.address;
  message.client_port = query_.client.port;
  message.query_id = id_;
  return {{query_.router, wire::kMtrace2Port}, wire::encode_mtrace2(message)};
}

std::optional<SendQuery> Client::on_deadline(Time now) {
  if (outcome_ || now < deadline_) {
    return std::nullopt;
  }
  if (tries_ < timing_.attempts) {
    return ask(now);
  }
  if (found_.hop_by_hop) {
    finish(Ending::kSilent);
    return std::nullopt;
  }
  found_.hop_by_hop = true;
  hops_ = 1;
  tries_ = 0;
  return ask(now);
}

std::optional<SendQuery> Client::on_datagram(Bytes datagram, Time now) {
  const auto reply = wire::decode_mtrace2(datagram);
  if (outcome_ || !reply || !answers(*reply)) {
    ++strangers_;
    return std::nullopt;
  }
  auto path = responses(*reply);
  if (path.empty()) {
    ++strangers_;
    return std::nullopt;
  }
  const bool longer = path.size() > found_.path.size();
  found_.path = std::move(path);
  found_.round_trip = now - sent_;
  const auto& last = found_.path.back();
  if (wire::ends_trace(last.code)) {
    finish(last.code == wire::Mtrace2Code::kReachedRp ? Ending::kReached : Ending::kStopped);
  } else if (found_.path.size() < hops_) {
    // It was turned into a reply before its hops were used up, without a fault: the source's own router did
    // it.
    finish(last.upstream.is_unspecified() || last.upstream == query_.source.value_or(IpAddress())
               ? Ending::kReached
               : Ending::kStopped);
  } else if (!longer || hops_ >= timing_.hops) {
    finish(Ending::kStopped);
  } else {
    ++hops_;
    tries_ = 0;
    return ask(now);
  }
  return std::nullopt;
}

bool Client::answers(const wire::Mtrace2Message& reply) const {
  return tries_ > 0 && reply.type == wire::Mtrace2Type::kReply && reply.query_id == id_ &&
         reply.group == query_.group && reply.source == query_.source &&
         reply.client == query_.client.address && reply.client_port == query_.client.port;
}

void Client::finish(Ending ending) {
  found_.ending = ending;
  outcome_ = std::move(found_);
}

double arrival_seconds(const wire::Mtrace2Response& response) {
  return static_cast<double>(response.arrival_time) / 65536.0;
}

}  // namespace hearthcast::trace
