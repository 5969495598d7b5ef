#include "tunnelmgr/tunnel/tcp_segment.hpp"

namespace hearthcast::tunnel {
namespace {

constexpr std::size_t kHeader = 20;
constexpr std::size_t kFlags = 13;
constexpr std::size_t kChecksum = 16;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;
constexpr std::uint8_t kEndOfOptions = 0;
constexpr std::uint8_t kNoOperation = 1;
constexpr std::uint8_t kSegmentSize = 2;
constexpr std::size_t kSegmentSizeLength = 4;

std::size_t header_length(Bytes segment) { return std::size_t{segment[12]} / 16 * 4; }

std::uint16_t u16_at(Bytes octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}
void put_u16(MutableBytes octets, std::size_t at, std::uint16_t value) {
  octets[at] = static_cast<std::uint8_t>(value >> 8);
  octets[at + 1] = static_cast<std::uint8_t>(value);
}

// RFC 1624 equation 3, octet by octet, since an option may begin at an odd place.
class ChecksumChange {
 public:
  explicit ChecksumChange(std::uint16_t before) : sum_(static_cast<std::uint16_t>(~before)) {}
  void replace(std::size_t at, std::uint8_t before, std::uint8_t after) {
    sum_ += static_cast<std::uint16_t>(~word(at, before));
    sum_ += word(at, after);
  }
  [[nodiscard]] std::uint16_t value() const {
    std::uint32_t sum = sum_;
    while (sum > 0xffff) {
      sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
  }

 private:
  static std::uint16_t word(std::size_t at, std::uint8_t octet) {
    return static_cast<std::uint16_t>(at % 2 == 0 ? octet << 8 : octet);
  }
  std::uint32_t sum_;
};

}  // namespace

std::optional<TcpPorts> decode_tcp_ports(Bytes segment) {
  if (segment.size() < kHeader || header_length(segment) < kHeader ||
      header_length(segment) > segment.size()) {
    return std::nullopt;
  }
  return TcpPorts{u16_at(segment, 0), u16_at(segment, 2)};
}

bool begins_connection(Bytes segment) { return (segment[kFlags] & (kSyn | kAck)) == kSyn; }

void limit_segment_size(MutableBytes segment, std::uint16_t most) {
  if ((segment[kFlags] & kSyn) == 0) {
    return;
  }
  const std::size_t end = header_length(segment);
  for (std::size_t at = kHeader; at < end && segment[at] != kEndOfOptions;) {
    if (segment[at] == kNoOperation) {
      ++at;
      continue;
    }
    const std::size_t length = at + 1 < end ? segment[at + 1] : 0;
    if (length < 2 || at + length > end) {
      return;  // broken options: the kernel's business
    }
    if (segment[at] == kSegmentSize && length == kSegmentSizeLength && u16_at(segment, at + 2) > most) {
      ChecksumChange sum(u16_at(segment, kChecksum));
      const std::uint8_t high = segment[at + 2];
      const std::uint8_t low = segment[at + 3];
      put_u16(segment, at + 2, most);
      sum.replace(at + 2, high, segment[at + 2]);
      sum.replace(at + 3, low, segment[at + 3]);
      put_u16(segment, kChecksum, sum.value());
    }
    at += length;
  }
}

void readdress(MutableBytes packet, const Endpoint& source, const Endpoint& destination) {
  const bool ip4 = packet[0] >> 4 == 4;
  const std::size_t header = plain_header_size(packet);
  const std::size_t source_at = ip4 ? 12 : 8;
  const std::size_t destination_at = ip4 ? 16 : 24;
  constexpr std::size_t kChecksum4 = 10;
  ChecksumChange tcp(u16_at(packet, header + kChecksum));
  ChecksumChange ip(u16_at(packet, kChecksum4));  // of IPv4 only
  const auto put = [&](std::size_t at, Bytes octets) {
    for (const std::uint8_t octet : octets) {
      tcp.replace(at, packet[at], octet);  // addresses are in its pseudo header; all of them stand even
      ip.replace(at, packet[at], octet);
      packet[at++] = octet;
    }
  };
  put(source_at, source.address.bytes());
  put(destination_at, destination.address.bytes());
  if (ip4) {
    put_u16(packet, kChecksum4, ip.value());
  }
  const std::uint16_t ports[] = {source.port, destination.port};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::uint8_t octets[] = {static_cast<std::uint8_t>(ports[i] >> 8),
                                   static_cast<std::uint8_t>(ports[i])};
    put(header + 2 * i, octets);
  }
  put_u16(packet, header + kChecksum, tcp.value());
}

}  // namespace hearthcast::tunnel
