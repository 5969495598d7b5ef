#include "tunnelmgr/wire/mld.hpp"

#include <cassert>

#include "tunnelmgr/wire/floating_code.hpp"
#include "tunnelmgr/wire/group_records.hpp"

namespace hearthcast::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ResponseCode = FloatingCode<12>;
using IntervalCode = FloatingCode<4>;
constexpr std::size_t kV1Body = 20;  // without the four octets of ICMPv6
constexpr std::size_t kV2QueryBody = 24;

Result<MembershipMessage> decode_query(Bytes body) {
  Reader r(body);
  MembershipQuery query;
  const std::uint16_t code = r.u16();
  r.take(2);
  query.group = read_address(r, Family::kIp6);
  if (r.failed() || (body.size() > kV1Body && body.size() < kV2QueryBody)) {
    return ParseError::kTruncated;  // RFC 3810 section 8.1: neither version
  }
  if (body.size() == kV1Body) {
    query.version = 1;
    query.max_response = milliseconds(code);
    return MembershipMessage(query);
  }
  query.version = 2;
  query.max_response = milliseconds(ResponseCode::value(code));
  const std::uint8_t flags = r.u8();
  query.suppress = (flags & 8) != 0;
  query.robustness = flags & 7;
  query.query_interval = seconds(IntervalCode::value(r.u8()));
  const std::size_t count = r.u16();
  if (!read_sources(r, Family::kIp6, count, query.sources)) {
    return ParseError::kBadLength;
  }
  return MembershipMessage(query);
}

MldEncoding encode_query(const MembershipQuery& query) {
  MldEncoding out{.type = kMldQuery};
  Writer w(out.body);
  const auto response = static_cast<std::uint64_t>(query.max_response.count());
  w.u16(static_cast<std::uint16_t>(query.version == 1 ? std::min<std::uint64_t>(response, 0xFFFF)
                                                      : ResponseCode::code(response)));
  w.u16(0);
  w.bytes((query.group.is_unspecified() ? IpAddress::any(Family::kIp6) : query.group).bytes());
  if (query.version >= 2) {
    write_query_tail(w, query);
  }
  return out;
}

MldEncoding encode_one_group(std::uint8_t type, const IpAddress& group) {
  MldEncoding out{.type = type};
  Writer w(out.body);
  w.u32(0);  // maximum response delay, reserved
  w.bytes(group.bytes());
  return out;
}

}  // namespace

Result<MembershipMessage> decode_mld(const Icmp6Message& icmp) {
  Reader r(icmp.body);
  switch (icmp.type) {
    case kMldQuery:
      return decode_query(icmp.body);
    case kMldV1Report:
    case kMldV1Done: {
      r.take(4);
      const IpAddress group = read_address(r, Family::kIp6);
      if (r.failed()) {
        return ParseError::kTruncated;
      }
      return icmp.type == kMldV1Report ? MembershipMessage(OldReport{1, group})
                                       : MembershipMessage(OldLeave{group});
    }
    case kMldV2Report:
      return read_report(r, Family::kIp6);
    default:
      return ParseError::kUnknownType;
  }
}

MldEncoding encode_mld(const MembershipMessage& message) {
  if (const auto* query = std::get_if<MembershipQuery>(&message)) {
    return encode_query(*query);
  }
  if (const auto* report = std::get_if<OldReport>(&message)) {
    return encode_one_group(kMldV1Report, report->group);
  }
  if (const auto* leave = std::get_if<OldLeave>(&message)) {
    return encode_one_group(kMldV1Done, leave->group);
  }
  MldEncoding out{.type = kMldV2Report};
  Writer w(out.body);
  write_report(w, std::get<MembershipReport>(message));
  return out;
}

}  // namespace hearthcast::wire
