#include "tunnelmgr/wire/psi.hpp"

#include "tunnelmgr/wire/crc32.hpp"

namespace hearthcast::wire {
namespace {

constexpr std::uint8_t kTablePat = 0x00;
constexpr std::uint8_t kTablePmt = 0x02;
constexpr std::uint8_t kTableSdtActual = 0x42;
constexpr std::uint8_t kServiceDescriptor = 0x48;
constexpr std::size_t kSectionHeader = 3;
constexpr std::size_t kCrc = 4;

struct Section {
  std::uint16_t extension = 0;
  Bytes body;  // between the long header and the CRC
};

Result<Section> decode_section(Bytes octets, std::uint8_t table) {
  Reader r(octets);
  const std::uint8_t id = r.u8();
  const std::uint16_t flags = r.u16();
  const std::size_t length = flags & 0x0FFF;
  Section section;
  section.extension = r.u16();
  const std::uint8_t version = r.u8();
  r.take(2);
  if (r.failed() || octets.size() < kSectionHeader + length) {
    return ParseError::kTruncated;
  }
  if (id != table || (version & 1) == 0) {
    return ParseError::kUnknownType;
  }
  if (octets.size() > kSectionHeader + length || length < 5 + kCrc || (flags & 0x8000) == 0) {
    return ParseError::kBadLength;
  }
  if (crc32_mpeg2(octets) != 0) {
    return ParseError::kBadChecksum;
  }
  section.body = octets.subspan(kSectionHeader + 5, length - 5 - kCrc);
  return section;
}

std::string read_text(Reader& r) {
  const std::size_t length = r.u8();
  Bytes text = r.take(length);
  // The first octet may select a table of characters: one octet, or with 0x10 two more.
  if (!text.empty() && text[0] < 0x20) {
    text = text.subspan(text[0] == 0x10 ? std::min<std::size_t>(3, text.size()) : 1);
  }
  return std::string(as_text(text));
}

}  // namespace

Result<Pat> decode_pat(Bytes octets) {
  const auto section = decode_section(octets, kTablePat);
  if (!section) {
    return section.error();
  }
  Pat pat{.transport_stream = section->extension};
  Reader r(section->body);
  while (r.left() > 0) {
    const std::uint16_t number = r.u16();
    const std::uint16_t pid = r.u16() & 0x1FFF;
    if (r.failed()) {
      return ParseError::kBadLength;
    }
    if (number != 0) {
      pat.programs.push_back({number, pid});
    }
  }
  return pat;
}

Result<Pmt> decode_pmt(Bytes octets) {
  const auto section = decode_section(octets, kTablePmt);
  if (!section) {
    return section.error();
  }
  Pmt pmt{.program = section->extension};
  Reader r(section->body);
  pmt.pcr_pid = r.u16() & 0x1FFF;
  const std::size_t program_info = r.u16() & 0x0FFF;
  r.take(program_info);
  while (r.left() > 0 && !r.failed()) {
    PmtStream stream;
    stream.type = r.u8();
    stream.pid = r.u16() & 0x1FFF;
    const std::size_t info = r.u16() & 0x0FFF;
    r.take(info);
    pmt.streams.push_back(stream);
  }
  if (r.failed()) {
    return ParseError::kBadLength;
  }
  return pmt;
}

Result<Sdt> decode_sdt(Bytes octets) {
  const auto section = decode_section(octets, kTableSdtActual);
  if (!section) {
    return section.error();
  }
  Sdt sdt{.transport_stream = section->extension};
  Reader r(section->body);
  r.take(3);  // original network id, reserved
  while (r.left() > 0 && !r.failed()) {
    SdtService service;
    service.id = r.u16();
    r.take(1);
    const std::size_t length = r.u16() & 0x0FFF;
    Reader descriptors(r.take(length));
    while (descriptors.left() > 0) {
      const std::uint8_t tag = descriptors.u8();
      const std::size_t size = descriptors.u8();
      Reader value(descriptors.take(size));
      if (descriptors.failed()) {
        return ParseError::kBadLength;
      }
      if (tag == kServiceDescriptor) {
        value.take(1);
        service.provider = read_text(value);
        service.name = read_text(value);
        if (value.failed()) {
          return ParseError::kBadLength;
        }
      }
    }
    sdt.services.push_back(std::move(service));
  }
  if (r.failed()) {
    return ParseError::kBadLength;
  }
  return sdt;
}

std::optional<Buffer> SectionAssembler::on_packet(const TsPacket& packet) {
  Bytes payload = packet.payload;
  if (packet.transport_error) {
    open_ = false;
  }
  if (payload.empty() || packet.transport_error) {
    return std::nullopt;
  }
  if (!packet.payload_unit_start) {
    return open_ ? append(payload) : std::nullopt;
  }
  const std::size_t pointer = payload[0];
  payload = payload.subspan(1);
  if (pointer > payload.size()) {
    open_ = false;
    return std::nullopt;
  }
  std::optional<Buffer> done;
  if (open_) {
    done = append(payload.first(pointer));
  }
  section_.clear();
  open_ = true;
  auto next = append(payload.subspan(pointer));
  return done ? done : next;
}

std::optional<Buffer> SectionAssembler::append(Bytes octets) {
  section_.insert(section_.end(), octets.begin(), octets.end());  // at most 4095 octets and one packet
  if (section_.size() < kSectionHeader) {
    return std::nullopt;
  }
  const std::size_t length =
      kSectionHeader + (static_cast<std::size_t>(section_[1] & 0x0F) << 8 | section_[2]);
  if (section_.size() < length) {
    return std::nullopt;
  }
  open_ = false;
  section_.resize(length);
  return std::move(section_);
}

}  // namespace hearthcast::wire
