#include "tunnelmgr/linux/netd_protocol.hpp"

namespace hearthcast::linux {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::size_t kRequestSize = 12;
constexpr std::size_t kReplySize = 16;

// Which parts of a request an operation has. An interface may be 0 where it is allowed, not needed.
struct Parts {
  bool family = false;
  bool setting = false;
  bool interface_index = false;
  bool argument = false;
};

constexpr std::optional<Parts> parts_of(NetdOperation operation) {
  switch (operation) {
    case NetdOperation::kForceReceiveBuffer:
      return Parts{.argument = true};
    case NetdOperation::kOpenLinkSocket:
      return Parts{.interface_index = true};
    case NetdOperation::kOpenMulticastRouting:
      return Parts{.family = true, .argument = true};
    case NetdOperation::kAddMulticastRule:
    case NetdOperation::kRemoveMulticastRule:
      return Parts{.family = true, .interface_index = true, .argument = true};
    case NetdOperation::kReadSetting:
      return Parts{.setting = true, .interface_index = true};
    case NetdOperation::kWriteSetting:
      return Parts{.setting = true, .interface_index = true, .argument = true};
  }
  return std::nullopt;
}

struct Begin {
  NetdOperation operation;
  Parts parts;
};

Result<Begin> read_begin(Reader& in, std::size_t expected_size) {
  if (in.left() != expected_size) {
    return in.left() < expected_size ? ParseError::kTruncated : ParseError::kBadLength;
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
  const auto begin = read_begin(in, kRequestSize);
  if (!begin) {
    return begin.error();
  }
  NetdRequest request{begin->operation};
  const bool known = read_family(in.u8(), request.family) && read_setting(in.u8(), request.setting);
  request.interface_index = in.u32();
  request.argument = in.u32();
  const Parts& parts = begin->parts;
  if (!known || request.family.has_value() != parts.family || request.setting.has_value() != parts.setting ||
      (request.interface_index != 0 && !parts.interface_index) ||
      (request.argument != 0 && !parts.argument)) {
    return ParseError::kBadValue;
  }
  return request;
}

Result<NetdReply> decode_netd_reply(Bytes message) {
  Reader in(message);
  const auto begin = read_begin(in, kReplySize);
  if (!begin) {
    return begin.error();
  }
  if (in.u16() != 0) {
    return ParseError::kBadValue;
  }
  const std::uint32_t error = in.u32();
  return NetdReply{begin->operation, error, in.u64()};
}

}  // namespace hearthcast::linux
