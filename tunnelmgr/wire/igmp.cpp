#include "tunnelmgr/wire/igmp.hpp"

#include <algorithm>

#include "tunnelmgr/wire/checksum.hpp"
#include "tunnelmgr/wire/floating_code.hpp"
#include "tunnelmgr/wire/group_records.hpp"

namespace hearthcast::wire {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Code = FloatingCode<4>;
constexpr std::size_t kOldSize = 8;
constexpr std::size_t kV3QuerySize = 12;

// RFC 3376 section 7.1: the version is told by length and code.
Result<MembershipMessage> decode_query(Bytes message, std::uint8_t code, Reader& r) {
  MembershipQuery query;
  query.group = read_address(r, Family::kIp4);
  if (r.failed() || (message.size() > kOldSize && message.size() < kV3QuerySize)) {
    return ParseError::kTruncated;
  }
  if (message.size() == kOldSize) {
    query.version = code == 0 ? 1 : 2;
    query.max_response = milliseconds(code * 100);
    return MembershipMessage(query);
  }
  query.version = 3;
  query.max_response = milliseconds(Code::value(code) * 100);
  const std::uint8_t flags = r.u8();
  query.suppress = (flags & 8) != 0;
  query.robustness = flags & 7;
  query.query_interval = seconds(Code::value(r.u8()));
  const std::size_t count = r.u16();
  if (!read_sources(r, Family::kIp4, count, query.sources)) {
    return ParseError::kBadLength;
  }
  return MembershipMessage(query);
}

std::uint8_t response_code(const MembershipQuery& query) {
  const auto tenths = static_cast<std::uint64_t>(query.max_response.count() / 100);
  switch (query.version) {
    case 1:
      return 0;
    case 2:
      return static_cast<std::uint8_t>(std::clamp<std::uint64_t>(tenths, 1, 255));  // 0 would say version 1
    default:
      return static_cast<std::uint8_t>(Code::code(tenths));
  }
}

void write_old(Writer& w, std::uint8_t type, const IpAddress& group) {
  w.u8(type);
  w.u8(0);
  w.u16(0);
  w.bytes(group.bytes());
}

void write(Writer& w, const MembershipQuery& query) {
  w.u8(kIgmpQuery);
  w.u8(response_code(query));
  w.u16(0);
  w.bytes((query.group.is_unspecified() ? IpAddress::any(Family::kIp4) : query.group).bytes());
  if (query.version >= 3) {
    write_query_tail(w, query);
  }
}

void write(Writer& w, const MembershipReport& report) {
  w.u16(kIgmpV3Report << 8);
  w.u16(0);
  write_report(w, report);
}

void write(Writer& w, const OldReport& report) {
  write_old(w, report.version == 1 ? kIgmpV1Report : kIgmpV2Report, report.group);
}

void write(Writer& w, const OldLeave& leave) { write_old(w, kIgmpV2Leave, leave.group); }

}  // namespace

Result<MembershipMessage> decode_igmp(Bytes message) {
  Reader r(message);
  const std::uint8_t type = r.u8();
  const std::uint8_t code = r.u8();
  r.take(2);
  if (message.size() < kOldSize) {
    return ParseError::kTruncated;
  }
  if (checksum(message) != 0) {
    return ParseError::kBadChecksum;
  }
  switch (type) {
    case kIgmpQuery:
      return decode_query(message, code, r);
    case kIgmpV1Report:
      return MembershipMessage(OldReport{1, read_address(r, Family::kIp4)});
    case kIgmpV2Report:
      return MembershipMessage(OldReport{2, read_address(r, Family::kIp4)});
    case kIgmpV2Leave:
      return MembershipMessage(OldLeave{read_address(r, Family::kIp4)});
    case kIgmpV3Report:
      return read_report(r, Family::kIp4);
    default:
      return ParseError::kUnknownType;
  }
}

Buffer encode_igmp(const MembershipMessage& message) {
  Buffer out;
  Writer w(out);
  std::visit([&](const auto& m) { write(w, m); }, message);
  w.patch_u16(2, checksum(out));
  return out;
}

}  // namespace hearthcast::wire
