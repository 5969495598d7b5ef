#include "tunnelmgr/wire/dns.hpp"

#include <algorithm>

namespace hearthcast::wire {
namespace {

constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kTopBit = 0x8000;
constexpr std::uint16_t kResponse = 0x8400;  // authoritative
constexpr std::uint16_t kOpcode = 0x7800;
constexpr std::uint16_t kOpt = 41;      // RFC 6891
constexpr std::uint16_t kPadding = 12;  // RFC 7830
constexpr std::size_t kHeader = 12;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 255;
constexpr std::uint8_t kPointer = 0xc0;
constexpr std::size_t kOptOverhead = 11 + 4;  // of the record and of its one option
constexpr std::uint16_t kLargestDatagram = 1440;

// Reads a name that begins at `at`, and says where it ends. Pointers only lead back, each further than the
// one before, so this ends.
std::optional<DnsName> read_name(Bytes whole, std::size_t& at) {
  DnsName name;
  std::size_t here = at;
  std::size_t limit = at;  // what a pointer has to stay before
  std::optional<std::size_t> end;
  for (std::size_t length = 0; here < whole.size();) {
    const std::uint8_t octet = whole[here];
    if (octet == 0) {
      at = end.value_or(here + 1);
      return name;
    }
    if ((octet & kPointer) == kPointer) {
      if (here + 1 >= whole.size()) {
        return std::nullopt;
      }
      const std::size_t target = static_cast<std::size_t>(octet & 0x3f) << 8 | whole[here + 1];
      end = end.value_or(here + 2);
      if (target >= limit) {
        return std::nullopt;
      }
      limit = target;
      here = target;
      continue;
    }
    length += octet + std::size_t{1};
    if (octet > kMaxLabel || length >= kMaxName || here + 1 + octet > whole.size()) {
      return std::nullopt;
    }
    name.emplace_back(as_text(whole.subspan(here + 1, octet)));
    here += octet + std::size_t{1};
  }
  return std::nullopt;
}

void put_name(Writer& to, const DnsName& name) {
  for (const std::string& label : name) {
    to.u8(static_cast<std::uint8_t>(label.size()));
    to.bytes(as_bytes(label));
  }
  to.u8(0);
}

// Reads what follows a name: numbers at a place in the whole message.
class Cursor {
 public:
  Cursor(Bytes whole, std::size_t at) : whole_(whole), at_(at) {}
  DnsName name() {
    auto read = failed_ ? std::nullopt : read_name(whole_, at_);
    failed_ |= !read;
    return read.value_or(DnsName{});
  }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  [[nodiscard]] std::size_t at() const { return at_; }
  void go(std::size_t at) { at_ = at; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::uint64_t number(std::size_t size) {
    if (failed_ || whole_.size() - at_ < size) {
      failed_ = true;
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = value << 8 | whole_[at_++];
    }
    return value;
  }

  Bytes whole_;
  std::size_t at_;
  bool failed_ = false;
};

// The data of a record of `size` octets at the cursor, which may lie beyond it afterwards.
std::optional<std::variant<DnsPointer, DnsService, IpAddress>> read_data(Bytes whole, Cursor& in,
                                                                         std::uint16_t type,
                                                                         std::size_t size) {
  const std::size_t end = in.at() + size;
  switch (type) {
    case kDnsPtr: {
      DnsPointer pointer{in.name()};
      return in.failed() || in.at() != end ? std::nullopt : std::optional<decltype(DnsRecord::data)>(pointer);
    }
    case kDnsSrv: {
      (void)in.u32();  // priority and weight: there is one way to the host
      DnsService service;
      service.port = in.u16();
      service.host = in.name();
      return in.failed() || in.at() != end ? std::nullopt : std::optional<decltype(DnsRecord::data)>(service);
    }
    case kDnsA:
    case kDnsAaaa: {
      const auto address = IpAddress::from_bytes(whole.subspan(in.at(), size));
      const bool fits = address && address->is_ip4() == (type == kDnsA);
      return fits ? std::optional<decltype(DnsRecord::data)>(*address) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::uint16_t type_of(const DnsRecord& record) {
  if (std::holds_alternative<DnsPointer>(record.data)) {
    return kDnsPtr;
  }
  if (const auto* address = std::get_if<IpAddress>(&record.data)) {
    return address->is_ip4() ? kDnsA : kDnsAaaa;
  }
  return kDnsSrv;
}

void put_data(Writer& to, const DnsRecord& record) {
  if (const auto* pointer = std::get_if<DnsPointer>(&record.data)) {
    put_name(to, pointer->name);
  } else if (const auto* service = std::get_if<DnsService>(&record.data)) {
    to.u32(0);
    to.u16(service->port);
    put_name(to, service->host);
  } else {
    to.bytes(std::get<IpAddress>(record.data).bytes());
  }
}

void put_header(Writer& to, const DnsMessage& message, std::uint16_t additional) {
  to.u16(message.id);
  to.u16(message.response ? kResponse : 0);
  to.u16(static_cast<std::uint16_t>(message.questions.size()));
  to.u16(static_cast<std::uint16_t>(message.records.size()));
  to.u16(0);
  to.u16(additional);
}

void put_body(Writer& to, const DnsMessage& message) {
  for (const DnsQuestion& question : message.questions) {
    put_name(to, question.name);
    to.u16(question.type);
    to.u16(kInternet | (question.unicast_wanted ? kTopBit : 0));
  }
  for (const DnsRecord& record : message.records) {
    put_name(to, record.name);
    to.u16(type_of(record));
    to.u16(kInternet | (record.cache_flush ? kTopBit : 0));
    to.u32(record.ttl);
    const std::size_t size_at = to.size();
    to.u16(0);
    put_data(to, record);
    to.patch_u16(size_at, static_cast<std::uint16_t>(to.size() - size_at - 2));
  }
}

}  // namespace

bool same_name(const DnsName& a, const DnsName& b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, [&](const std::string& one, const std::string& other) {
    return std::ranges::equal(one, other, {}, lower, lower);
  });
}

Result<DnsMessage> decode_dns(Bytes datagram) {
  Reader header(datagram);
  DnsMessage message;
  message.id = header.u16();
  const std::uint16_t flags = header.u16();
  const std::size_t questions = header.u16();
  std::size_t records = header.u16();
  records += header.u16();
  records += header.u16();
  if (header.failed()) {
    return ParseError::kTruncated;
  }
  if ((flags & kOpcode) != 0) {
    return ParseError::kUnsupported;
  }
  if (questions > kMaxDnsEntries || records > kMaxDnsEntries) {
    return ParseError::kBadLength;
  }
  message.response = (flags & kTopBit) != 0;
  Cursor in(datagram, kHeader);
  for (std::size_t i = 0; i < questions && !in.failed(); ++i) {
    DnsQuestion question;
    question.name = in.name();
    question.type = in.u16();
    question.unicast_wanted = (in.u16() & kTopBit) != 0;
    message.questions.push_back(std::move(question));
  }
  for (std::size_t i = 0; i < records && !in.failed(); ++i) {
    DnsRecord record;
    record.name = in.name();
    const std::uint16_t type = in.u16();
    const std::uint16_t kind = in.u16();
    record.ttl = in.u32();
    const std::size_t size = in.u16();
    if (in.failed() || datagram.size() - in.at() < size) {
      return ParseError::kTruncated;
    }
    const std::size_t end = in.at() + size;
    record.cache_flush = (kind & kTopBit) != 0;
    const bool known = type == kDnsPtr || type == kDnsSrv || type == kDnsA || type == kDnsAaaa;
    if (known && (kind & ~kTopBit) == kInternet) {
      auto data = read_data(datagram, in, type, size);
      if (!data) {
        return ParseError::kBadValue;
      }
      record.data = std::move(*data);
      message.records.push_back(std::move(record));
    }
    in.go(end);
  }
  return in.failed() ? Result<DnsMessage>(ParseError::kTruncated) : message;
}

Buffer encode_dns(const DnsMessage& message) {
  Buffer out;
  Writer to(out);
  put_header(to, message, 0);
  put_body(to, message);
  return out;
}

Buffer encode_padded_dns_query(const DnsMessage& query, std::size_t size) {
  Buffer out;
  Writer to(out);
  put_header(to, query, 1);
  put_body(to, query);
  const std::size_t padding = size > out.size() + kOptOverhead ? size - out.size() - kOptOverhead : 0;
  to.u8(0);  // the root's name
  to.u16(kOpt);
  to.u16(kLargestDatagram);
  to.u32(0);
  to.u16(static_cast<std::uint16_t>(4 + padding));
  to.u16(kPadding);
  to.u16(static_cast<std::uint16_t>(padding));
  to.zeros(padding);
  return out;
}

}  // namespace hearthcast::wire
