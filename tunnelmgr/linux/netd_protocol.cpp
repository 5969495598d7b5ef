#include "tunnelmgr/linux/netd_protocol.hpp"

#include <algorithm>

namespace hearthcast::linux {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::size_t kRequestSize = 12;
constexpr std::size_t kAddressSize = 17;  // with its length
constexpr std::size_t kReplySize = 16;

// Which parts of a request an operation has. An interface may be 0 where it is allowed, not needed.
struct Parts {
  bool family = false;
  bool setting = false;
  bool interface_index = false;
  bool argument = false;
  bool address = false;
};

constexpr std::optional<Parts> parts_of(NetdOperation operation) {
  switch (operation) {
    case NetdOperation::kForceReceiveBuffer:
      return Parts{.argument = true};
    case NetdOperation::kOpenLinkSocket:
      return Parts{.interface_index = true};
    case NetdOperation::kOpenMulticastRouting:
    case NetdOperation::kOpenRawIp:
      return Parts{.family = true, .argument = true};
    case NetdOperation::kAddMulticastRule:
    case NetdOperation::kRemoveMulticastRule:
      return Parts{.family = true, .interface_index = true, .argument = true};
    case NetdOperation::kReadSetting:
      return Parts{.setting = true, .interface_index = true};
    case NetdOperation::kWriteSetting:
      return Parts{.setting = true, .interface_index = true, .argument = true};
    case NetdOperation::kOpenTun:
      return Parts{.argument = true};
    case NetdOperation::kAddTunAddress:
    case NetdOperation::kRemoveTunAddress:
    case NetdOperation::kAddTunRoute:
    case NetdOperation::kRemoveTunRoute:
      return Parts{.family = true, .address = true};
  }
  return std::nullopt;
}

struct Begin {
  NetdOperation operation;
  Parts parts;
};

Result<Begin> read_begin(Reader& in) {
  if (in.left() < 2) {
    return ParseError::kTruncated;
  }
  if (in.u8() != kVersion) {
    return ParseError::kBadValue;
  }
  const auto operation = static_cast<NetdOperation>(in.u8());
  const auto parts = parts_of(operation);
  if (!parts) {
    return ParseError::kUnknownType;
  }
  return Begin{operation, *parts};
}

std::optional<ParseError> wrong_size(Bytes message, std::size_t expected) {
  if (message.size() == expected) {
    return std::nullopt;
  }
  return message.size() < expected ? ParseError::kTruncated : ParseError::kBadLength;
}

// IPv4: what lies behind the address has to be zero.
bool read_address(Reader& in, const std::optional<Family>& family, NetdRequest& request) {
  request.length = in.u8();
  const Bytes octets = in.take(kAddressSize - 1);
  const std::size_t size = family == Family::kIp4 ? 4 : 16;
  if (in.failed() || !family) {
    return false;
  }
  request.address = IpAddress::from_bytes(octets.first(size));
  const Bytes rest = octets.subspan(size);
  return std::all_of(rest.begin(), rest.end(), [](std::uint8_t octet) { return octet == 0; });
}

constexpr std::uint8_t number_of(const std::optional<Family>& family) {
  return static_cast<std::uint8_t>(!family ? 0 : *family == Family::kIp4 ? 4 : 6);
}

bool read_family(std::uint8_t number, std::optional<Family>& family) {
  if (number != 0) {
    family = number == 4 ? Family::kIp4 : Family::kIp6;
  }
  return number_of(family) == number;
}

bool read_setting(std::uint8_t number, std::optional<MachineSetting>& setting) {
  if (number != 0) {
    setting = static_cast<MachineSetting>(number);
  }
  return number <= static_cast<std::uint8_t>(MachineSetting::kReversePathFilter);
}

}  // namespace

Buffer encode(const NetdRequest& request) {
  Buffer out;
  Writer writer(out);
  writer.u8(kVersion);
  writer.u8(static_cast<std::uint8_t>(request.operation));
  writer.u8(number_of(request.family));
  writer.u8(request.setting ? static_cast<std::uint8_t>(*request.setting) : std::uint8_t{0});
  writer.u32(request.interface_index);
  writer.u32(request.argument);
  if (request.address) {
    const Bytes octets = request.address->bytes();
    writer.u8(static_cast<std::uint8_t>(request.length));
    writer.bytes(octets);
    writer.zeros(kAddressSize - 1 - octets.size());
  }
  return out;
}

Buffer encode(const NetdReply& reply) {
  Buffer out;
  Writer writer(out);
  writer.u8(kVersion);
  writer.u8(static_cast<std::uint8_t>(reply.operation));
  writer.zeros(2);
  writer.u32(reply.error);
  writer.u64(reply.value);
  return out;
}

Result<NetdRequest> decode_netd_request(Bytes message) {
  Reader in(message);
  const auto begin = read_begin(in);
  if (!begin) {
    return begin.error();
  }
  const Parts& parts = begin->parts;
  if (const auto wrong = wrong_size(message, kRequestSize + (parts.address ? kAddressSize : 0))) {
    return *wrong;
  }
  NetdRequest request{begin->operation};
  bool known = read_family(in.u8(), request.family) && read_setting(in.u8(), request.setting);
  request.interface_index = in.u32();
  request.argument = in.u32();
  if (parts.address) {
    known = read_address(in, request.family, request) && known;
  }
  if (!known || request.family.has_value() != parts.family || request.setting.has_value() != parts.setting ||
      (request.interface_index != 0 && !parts.interface_index) ||
      (request.argument != 0 && !parts.argument)) {
    return ParseError::kBadValue;
  }
  return request;
}

Result<NetdReply> decode_netd_reply(Bytes message) {
  Reader in(message);
  const auto begin = read_begin(in);
  if (!begin) {
    return begin.error();
  }
  if (const auto wrong = wrong_size(message, kReplySize)) {
    return *wrong;
  }
  if (in.u16() != 0) {
    return ParseError::kBadValue;
  }
  const std::uint32_t error = in.u32();
  return NetdReply{begin->operation, error, in.u64()};
}

}  // namespace hearthcast::linux
