// As much of the DNS message format (RFC 1035 section 4.1) as finding a service on a link takes (RFC 6762,
// RFC 6763): questions, and records of the types PTR, SRV, A and AAAA. Other records are passed over. Network
// byte order. Names are written without compression and read with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

inline constexpr std::uint16_t kDnsA = 1;
inline constexpr std::uint16_t kDnsPtr = 12;
inline constexpr std::uint16_t kDnsAaaa = 28;
inline constexpr std::uint16_t kDnsSrv = 33;
inline constexpr std::uint16_t kDnsAny = 255;

// Labels of 1 to 63 octets, without the root's empty one. Compared without regard to the case of ASCII
// letters.
using DnsName = std::vector<std::string>;
[[nodiscard]] bool same_name(const DnsName& a, const DnsName& b);

struct DnsQuestion {
  DnsName name;
  std::uint16_t type = kDnsPtr;
  bool unicast_wanted = false;  // RFC 6762 section 5.4
  friend bool operator==(const DnsQuestion&, const DnsQuestion&) = default;
};

struct DnsPointer {
  DnsName name;
  friend bool operator==(const DnsPointer&, const DnsPointer&) = default;
};
struct DnsService {
  std::uint16_t port = 0;
  DnsName host;
  friend bool operator==(const DnsService&, const DnsService&) = default;
};

struct DnsRecord {
  DnsName name;
  std::uint32_t ttl = 0;     // seconds
  bool cache_flush = false;  // RFC 6762 section 10.2
  std::variant<DnsPointer, DnsService, IpAddress> data;
  friend bool operator==(const DnsRecord&, const DnsRecord&) = default;
};

struct DnsMessage {
  std::uint16_t id = 0;
  bool response = false;
  std::vector<DnsQuestion> questions;
  std::vector<DnsRecord> records;  // of all sections; written as answers
  friend bool operator==(const DnsMessage&, const DnsMessage&) = default;
};

// At most kMaxDnsEntries of each kind; a message that claims more is refused.
inline constexpr std::size_t kMaxDnsEntries = 64;
[[nodiscard]] Result<DnsMessage> decode_dns(Bytes datagram);
[[nodiscard]] Buffer encode_dns(const DnsMessage& message);
// A query that is filled up to `size` octets by padding (RFC 7830), so that no answer to it has to be larger.
[[nodiscard]] Buffer encode_padded_dns_query(const DnsMessage& query, std::size_t size);

}  // namespace hearthcast::wire
