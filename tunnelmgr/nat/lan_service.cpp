#include "tunnelmgr/nat/lan_service.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/nat/candidate.hpp"

namespace hearthcast::nat {
namespace {

constexpr Duration kBetweenMulticasts = std::chrono::seconds{1};  // RFC 6762 section 6
constexpr std::size_t kMaxAddresses = 6;

std::string random_label(Random& random) {
  std::array<std::uint8_t, 6> octets{};
  random.fill(octets);
  return to_hex(octets);
}

unsigned key_of(const LanResponder::Query& query) {
  return query.link * 2 + (query.from.address.is_ip6() ? 1 : 0);
}

}  // namespace

IpAddress mdns_group(Family family) {
  return family == Family::kIp4 ? IpAddress::ip4(0xe00000fb) : *IpAddress::parse("ff02::fb");
}

wire::DnsName lan_service_name() { return {"_hearthcast", "_udp", "local"}; }

LanResponder::LanResponder(Random& random)
    : service_(lan_service_name()), instance_(service_), host_{random_label(random), "local"} {
  instance_.insert(instance_.begin(), random_label(random));
}

bool LanResponder::asks_for_us(const wire::DnsMessage& query) const {
  return std::ranges::any_of(query.questions, [&](const wire::DnsQuestion& q) {
    const auto is = [&](std::uint16_t type) { return q.type == type || q.type == wire::kDnsAny; };
    return (is(wire::kDnsPtr) && wire::same_name(q.name, service_)) ||
           (is(wire::kDnsSrv) && wire::same_name(q.name, instance_)) ||
           ((is(wire::kDnsA) || is(wire::kDnsAaaa)) && wire::same_name(q.name, host_));
  });
}

wire::DnsMessage LanResponder::records(const Query& query, bool legacy) const {
  const std::uint32_t ttl = legacy ? kLegacyTtl : kTtl;
  wire::DnsMessage answer;
  answer.response = true;
  answer.records = {{service_, ttl, false, wire::DnsPointer{instance_}},
                    {instance_, ttl, !legacy, wire::DnsService{query.port, host_}}};
  for (const IpAddress& address : query.addresses) {
    if (answer.records.size() < 2 + kMaxAddresses) {
      answer.records.push_back({host_, ttl, !legacy, address});
    }
  }
  return answer;
}

std::optional<LanResponder::Answer> LanResponder::on_query(Bytes datagram, const Query& query, Time now) {
  if (!query.neighbour) {
    ++counters_.strangers;
    return std::nullopt;
  }
  const auto asked = wire::decode_dns(datagram);
  if (!asked || asked->response || !asks_for_us(*asked)) {
    return std::nullopt;
  }
  const bool legacy = query.from.port != kMdnsPort;
  wire::DnsMessage answer = records(query, legacy);
  if (legacy) {
    answer.id = asked->id;
    answer.questions = asked->questions;
  }
  Buffer bytes = wire::encode_dns(answer);
  const bool alone = legacy || std::ranges::all_of(asked->questions, &wire::DnsQuestion::unicast_wanted);
  if (alone && bytes.size() <= datagram.size()) {
    if (now - unicast_since_ >= std::chrono::seconds{1}) {
      unicast_since_ = now;
      unicast_left_ = kUnicastBurst;
    }
    if (unicast_left_ > 0) {
      --unicast_left_;
      ++counters_.answered;
      return Answer{query.from, std::move(bytes)};
    }
  } else if (!legacy) {
    const unsigned key = key_of(query);
    auto last = std::ranges::find(last_multicast_, key, &std::pair<unsigned, Time>::first);
    if (last == last_multicast_.end()) {
      last = last_multicast_.insert(last, {key, now - kBetweenMulticasts});
    }
    if (now - last->second >= kBetweenMulticasts) {
      last->second = now;
      ++counters_.answered;
      return Answer{{mdns_group(query.from.address.family()), kMdnsPort}, std::move(bytes)};
    }
  }
  ++counters_.held_back;
  return std::nullopt;
}

void LanSearch::want(bool wanted, Time now) {
  if (!wanted) {
    next_ = kNever;
  } else if (next_ == kNever) {
    wait_ = kFirst;
    next_ = now + wait_;
  }
}

void LanSearch::on_network_change(Time now) {
  if (next_ != kNever) {
    wait_ = kFirst;
    next_ = std::min(next_, now + wait_);
  }
}

std::optional<Buffer> LanSearch::on_deadline(Time now) {
  if (now < next_) {
    return std::nullopt;
  }
  wait_ = std::min(wait_ * 3, kLast);
  next_ = now + wait_;
  if (!std::exchange(asked_, true)) {
    std::array<std::uint8_t, 2> octets{};
    random_.fill(octets);
    id_ = static_cast<std::uint16_t>(octets[0] << 8 | octets[1]);
  }
  wire::DnsMessage query;
  query.id = id_;
  query.questions = {{lan_service_name(), wire::kDnsPtr, true}};
  return wire::encode_padded_dns_query(query, kQuerySize);
}

std::vector<Endpoint> LanSearch::on_answer(Bytes datagram, const Endpoint& from, bool neighbour) {
  std::vector<Endpoint> found;
  const auto answer =
      asked_ && neighbour && from.port == kMdnsPort ? wire::decode_dns(datagram) : ParseError::kUnsupported;
  if (!answer || !answer->response || answer->id != id_) {
    return found;
  }
  for (const wire::DnsRecord& pointer : answer->records) {
    const auto* instance = std::get_if<wire::DnsPointer>(&pointer.data);
    if (instance == nullptr || !wire::same_name(pointer.name, lan_service_name())) {
      continue;
    }
    for (const wire::DnsRecord& record : answer->records) {
      const auto* service = std::get_if<wire::DnsService>(&record.data);
      if (service == nullptr || !wire::same_name(record.name, instance->name)) {
        continue;
      }
      for (const wire::DnsRecord& host : answer->records) {
        const auto* address = std::get_if<IpAddress>(&host.data);
        const bool fits = address != nullptr && wire::same_name(host.name, service->host) &&
                          !acceptable({{CandidateType::kHost, {*address, service->port}}}).empty();
        if (fits && found.size() < kMaxFound &&
            std::ranges::find(found, Endpoint{*address, service->port}) == found.end()) {
          found.push_back({*address, service->port});
        }
      }
    }
  }
  return found;
}

}  // namespace hearthcast::nat
