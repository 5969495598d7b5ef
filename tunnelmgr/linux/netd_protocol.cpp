#include "tunnelmgr/linux/netd_protocol.hpp"

namespace hearthcast::linux {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kRequestSize = 8;
constexpr std::size_t kReplySize = 16;

void begin(Writer& out, NetdOperation operation) {
  out.u8(kVersion);
  out.u8(static_cast<std::uint8_t>(operation));
  out.zeros(2);
}

Result<NetdOperation> read_begin(Reader& in, std::size_t expected_size) {
  if (in.left() != expected_size) {
    return in.left() < expected_size ? ParseError::kTruncated : ParseError::kBadLength;
  }
  const std::uint8_t version = in.u8();
  const std::uint8_t operation = in.u8();
  if (version != kVersion || in.u16() != 0) {
    return ParseError::kBadValue;
  }
  if (operation != static_cast<std::uint8_t>(NetdOperation::kForceReceiveBuffer)) {
    return ParseError::kUnknownType;
  }
  return NetdOperation::kForceReceiveBuffer;
}

}  // namespace

Buffer encode(const NetdRequest& request) {
  Buffer out;
  Writer writer(out);
  begin(writer, request.operation);
  writer.u32(request.argument);
  return out;
}

Buffer encode(const NetdReply& reply) {
  Buffer out;
  Writer writer(out);
  begin(writer, reply.operation);
  writer.u32(reply.error);
  writer.u64(reply.value);
  return out;
}

Result<NetdRequest> decode_netd_request(Bytes message) {
  Reader in(message);
  const auto operation = read_begin(in, kRequestSize);
  if (!operation) {
    return operation.error();
  }
  return NetdRequest{*operation, in.u32()};
}

Result<NetdReply> decode_netd_reply(Bytes message) {
  Reader in(message);
  const auto operation = read_begin(in, kReplySize);
  if (!operation) {
    return operation.error();
  }
  const std::uint32_t error = in.u32();
  return NetdReply{*operation, error, in.u64()};
}

}  // namespace hearthcast::linux
