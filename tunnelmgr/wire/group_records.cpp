#include "tunnelmgr/wire/group_records.hpp"

#include <cassert>

#include "tunnelmgr/wire/floating_code.hpp"

namespace hearthcast::wire {
namespace {

constexpr std::size_t address_size(Family family) { return family == Family::kIp4 ? 4 : 16; }

}  // namespace

IpAddress read_address(Reader& r, Family family) {
  return IpAddress::from_bytes(r.take(address_size(family))).value_or(IpAddress::any(family));
}

bool read_sources(Reader& r, Family family, std::size_t count, std::vector<IpAddress>& sources) {
  if (r.failed() || count * address_size(family) > r.left()) {
    return false;  // before memory is reserved
  }
  sources.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    sources.push_back(read_address(r, family));
  }
  return true;
}

Result<MembershipMessage> read_report(Reader& r, Family family) {
  r.take(2);
  const std::size_t count = r.u16();
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (count * (4 + address_size(family)) > r.left()) {
    return ParseError::kBadLength;
  }
  MembershipReport report;
  report.records.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    GroupRecord record;
    record.type = static_cast<RecordType>(r.u8());
    const std::size_t auxiliary = r.u8() * std::size_t{4};
    const std::size_t sources = r.u16();
    record.group = read_address(r, family);
    if (!read_sources(r, family, sources, record.sources)) {
      return ParseError::kBadLength;
    }
    r.take(auxiliary);
    if (r.failed()) {
      return ParseError::kBadLength;
    }
    report.records.push_back(std::move(record));
  }
  return MembershipMessage(std::move(report));
}

void write_report(Writer& w, const MembershipReport& report) {
  assert(report.records.size() <= 0xFFFF);
  w.u16(0);
  w.u16(static_cast<std::uint16_t>(report.records.size()));
  for (const GroupRecord& record : report.records) {
    assert(record.sources.size() <= 0xFFFF);
    w.u8(static_cast<std::uint8_t>(record.type));
    w.u8(0);
    w.u16(static_cast<std::uint16_t>(record.sources.size()));
    w.bytes(record.group.bytes());
    for (const IpAddress& source : record.sources) {
      w.bytes(source.bytes());
    }
  }
}

void write_query_tail(Writer& w, const MembershipQuery& query) {
  assert(query.sources.size() <= 0xFFFF);
  w.u8(static_cast<std::uint8_t>((query.suppress ? 8 : 0) | (query.robustness > 7 ? 0 : query.robustness)));
  w.u8(static_cast<std::uint8_t>(
      FloatingCode<4>::code(static_cast<std::uint64_t>(query.query_interval.count()))));
  w.u16(static_cast<std::uint16_t>(query.sources.size()));
  for (const IpAddress& source : query.sources) {
    w.bytes(source.bytes());
  }
}

}  // namespace hearthcast::wire
