#include "tunnelmgr/wire/mtrace2.hpp"

#include <algorithm>

namespace hearthcast::wire {
namespace {

constexpr std::uint8_t kResponseBlock = 4;
constexpr std::uint8_t kAugmentedBlock = 5;
constexpr std::uint8_t kExtendedBlock = 6;
constexpr std::size_t kBlockHead = 4;  // type, length, one octet more
constexpr std::size_t kTypedHead = 6;  // and a type of two octets
constexpr std::size_t kHeaderSize4 = 20;
constexpr std::size_t kHeaderSize6 = 56;
constexpr std::size_t kResponseSize4 = 52;
constexpr std::size_t kResponseSize6 = 80;

std::size_t address_size(Family family) { return family == Family::kIp4 ? 4 : 16; }

IpAddress no_source(Family family) {
  return family == Family::kIp4 ? IpAddress::ip4(0xFFFFFFFF) : IpAddress::any(Family::kIp6);
}

IpAddress read_ip(Reader& r, Family family) {
  return IpAddress::from_bytes(r.take(address_size(family))).value_or(IpAddress::any(family));
}

void write_ip(Writer& w, const IpAddress& address, Family family) {
  if (address.family() == family) {
    w.bytes(address.bytes());
  } else {
    w.zeros(address_size(family));
  }
}

Mtrace2Response read_response(Reader& r, Family family) {
  Mtrace2Response out;
  out.arrival_time = r.u32();
  if (family == Family::kIp4) {
    out.incoming = read_ip(r, family);
    out.outgoing = read_ip(r, family);
  } else {
    out.incoming_interface = r.u32();
    out.outgoing_interface = r.u32();
    out.incoming = read_ip(r, family);
  }
  out.upstream = read_ip(r, family);
  out.input_packets = r.u64();
  out.output_packets = r.u64();
  out.flow_packets = r.u64();
  out.unicast_protocol = r.u16();
  out.multicast_protocol = r.u16();
  const std::uint8_t first = r.u8();
  out.forward_ttl = family == Family::kIp4 ? first : std::uint8_t{0};
  const std::uint8_t second = r.u8();
  const std::uint8_t third = r.u8();
  out.counts_network = false;
  if (family == Family::kIp4) {  // ttl, 8 reserved bits, S and 7 bits of prefix length
    out.counts_network = (third & 0x80) != 0;
    out.source_prefix = third & 0x7F;
  } else {  // 15 reserved bits, S, 8 bits of prefix length
    out.counts_network = (second & 1) != 0;
    out.source_prefix = third;
  }
  out.code = static_cast<Mtrace2Code>(r.u8());
  return out;
}

void write(Writer& w, const Mtrace2Response& block, Family family) {
  const bool ip4 = family == Family::kIp4;
  w.u8(kResponseBlock);
  w.u16(static_cast<std::uint16_t>(ip4 ? kResponseSize4 : kResponseSize6));
  w.u8(0);
  w.u32(block.arrival_time);
  if (ip4) {
    write_ip(w, block.incoming, family);
    write_ip(w, block.outgoing.value_or(IpAddress::any(family)), family);
  } else {
    w.u32(block.incoming_interface);
    w.u32(block.outgoing_interface);
    write_ip(w, block.incoming, family);
  }
  write_ip(w, block.upstream, family);
  w.u64(block.input_packets);
  w.u64(block.output_packets);
  w.u64(block.flow_packets);
  w.u16(block.unicast_protocol);
  w.u16(block.multicast_protocol);
  const auto counts = static_cast<std::uint8_t>(block.counts_network ? 1 : 0);
  w.u8(ip4 ? block.forward_ttl : std::uint8_t{0});
  w.u8(ip4 ? std::uint8_t{0} : counts);
  w.u8(ip4 ? static_cast<std::uint8_t>(counts << 7 | (block.source_prefix & 0x7F)) : block.source_prefix);
  w.u8(static_cast<std::uint8_t>(block.code));
}

void write_typed(Writer& w, std::uint8_t block, std::uint8_t flags, std::uint16_t type, const Buffer& value) {
  w.u8(block);
  w.u16(static_cast<std::uint16_t>(kTypedHead + value.size()));
  w.u8(flags);
  w.u16(type);
  w.bytes(value);
}

void write(Writer& w, const Mtrace2Augmented& block, Family) {
  write_typed(w, kAugmentedBlock, 0, block.type, block.value);
}

void write(Writer& w, const Mtrace2Extended& block, Family) {
  write_typed(w, kExtendedBlock, block.transitive ? 1 : 0, block.type, block.value);
}

Result<Mtrace2Block> read_block(Reader& r, Family family) {
  const std::uint8_t type = r.u8();
  const std::size_t size = r.u16();
  const std::uint8_t flags = r.u8();
  if (r.failed() || (size >= kBlockHead && size - kBlockHead > r.left())) {
    return ParseError::kTruncated;
  }
  switch (type) {
    case kResponseBlock:
      if (size != (family == Family::kIp4 ? kResponseSize4 : kResponseSize6)) {
        return ParseError::kBadLength;
      }
      return Mtrace2Block(read_response(r, family));
    case kAugmentedBlock:
    case kExtendedBlock: {
      if (size < kTypedHead) {
        return ParseError::kBadLength;
      }
      const std::uint16_t number = r.u16();
      const Bytes value = r.take(size - kTypedHead);
      Buffer owned(value.begin(), value.end());
      if (type == kAugmentedBlock) {
        return Mtrace2Block(Mtrace2Augmented{number, std::move(owned)});
      }
      return Mtrace2Block(Mtrace2Extended{(flags & 1) != 0, number, std::move(owned)});
    }
    default:
      return ParseError::kUnknownType;
  }
}

}  // namespace

Result<Mtrace2Message> decode_mtrace2(Bytes datagram) {
  Reader r(datagram);
  const std::uint8_t type = r.u8();
  const std::size_t size = r.u16();
  Mtrace2Message message;
  message.hops = r.u8();
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (type < 1 || type > 3) {
    return ParseError::kUnknownType;
  }
  if (size != kHeaderSize4 && size != kHeaderSize6) {
    return ParseError::kBadLength;
  }
  if (datagram.size() < size) {
    return ParseError::kTruncated;
  }
  const Family family = size == kHeaderSize4 ? Family::kIp4 : Family::kIp6;
  message.type = static_cast<Mtrace2Type>(type);
  message.group = read_ip(r, family);
  const IpAddress source = read_ip(r, family);
  if (source != no_source(family)) {
    message.source = source;
  }
  message.client = read_ip(r, family);
  message.query_id = r.u16();
  message.client_port = r.u16();
  while (r.left() > 0) {
    auto block = read_block(r, family);
    if (!block) {
      return block.error();
    }
    message.blocks.push_back(std::move(*block));
  }
  return message;
}

Buffer encode_mtrace2(const Mtrace2Message& message) {
  const Family family = message.group.family();
  Buffer out;
  Writer w(out);
  w.u8(static_cast<std::uint8_t>(message.type));
  w.u16(static_cast<std::uint16_t>(family == Family::kIp4 ? kHeaderSize4 : kHeaderSize6));
  w.u8(message.hops);
  write_ip(w, message.group, family);
  write_ip(w, message.source.value_or(no_source(family)), family);
  write_ip(w, message.client, family);
  w.u16(message.query_id);
  w.u16(message.client_port);
  for (const auto& block : message.blocks) {
    std::visit([&](const auto& b) { write(w, b, family); }, block);
  }
  return out;
}

std::size_t count_responses(const Mtrace2Message& message) {
  return static_cast<std::size_t>(std::ranges::count_if(
      message.blocks, [](const auto& block) { return std::holds_alternative<Mtrace2Response>(block); }));
}

bool ends_trace(Mtrace2Code code) {
  switch (code) {
    case Mtrace2Code::kNoError:
    case Mtrace2Code::kPruneSent:
    case Mtrace2Code::kRpfInterface:
    case Mtrace2Code::kInfoHidden:
      return false;
    default:
      return true;
  }
}

std::string describe(Mtrace2Code code) {
  switch (code) {
    case Mtrace2Code::kNoError:
      return "no error";
    case Mtrace2Code::kWrongInterface:
      return "the request came in where this router would not forward";
    case Mtrace2Code::kPruneSent:
      return "pruned upstream";
    case Mtrace2Code::kPruneReceived:
      return "pruned by the router below";
    case Mtrace2Code::kScoped:
      return "stopped by the group's scope";
    case Mtrace2Code::kNoRoute:
      return "no route to the source";
    case Mtrace2Code::kWrongLastHop:
      return "not the router that forwards to the client";
    case Mtrace2Code::kNotForwarding:
      return "not forwarding";
    case Mtrace2Code::kReachedRp:
      return "reached the rendezvous point";
    case Mtrace2Code::kRpfInterface:
      return "the request came in on the interface towards the source";
    case Mtrace2Code::kNoMulticast:
      return "no multicast on that interface";
    case Mtrace2Code::kInfoHidden:
      return "hops are hidden";
    case Mtrace2Code::kReachedGateway:
      return "a gateway that hides what is behind it";
    case Mtrace2Code::kUnknownQuery:
      return "unknown extended query";
    case Mtrace2Code::kFatalError:
      return "fatal error";
    case Mtrace2Code::kNoSpace:
      return "no space for more answers";
    case Mtrace2Code::kAdminProhibited:
      return "prohibited by the administrator";
  }
  return "code " + std::to_string(static_cast<int>(code));
}

}  // namespace hearthcast::wire
