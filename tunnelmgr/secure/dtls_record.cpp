#include "tunnelmgr/secure/dtls_record.hpp"

namespace hearthcast::secure {
namespace {

constexpr std::size_t kEpochAt = 3;
constexpr std::size_t kLengthAt = 11;
constexpr std::uint8_t kClientHello = 1;  // RFC 5246 section 7.4

}  // namespace

DtlsContent dtls_content(Bytes datagram) {
  if (datagram.size() < kDtlsRecordHeader || datagram[1] != 0xfe) {  // version 1.2 is 254.253, 1.0 is 254.255
    return DtlsContent::kOther;
  }
  switch (datagram[0]) {
    case 20:
      return DtlsContent::kChangeCipherSpec;
    case 21:
      return DtlsContent::kAlert;
    case 22:
      return DtlsContent::kHandshake;
    case 23:
      return DtlsContent::kApplicationData;
    default:
      return DtlsContent::kOther;
  }
}

bool is_client_hello(Bytes datagram) {
  return dtls_content(datagram) == DtlsContent::kHandshake && datagram.size() > kDtlsRecordHeader &&
         datagram[kEpochAt] == 0 && datagram[kEpochAt + 1] == 0 &&
         datagram[kDtlsRecordHeader] == kClientHello;
}

bool is_single_record(Bytes datagram) {
  if (datagram.size() < kDtlsRecordHeader) {
    return false;
  }
  const std::size_t length = static_cast<std::size_t>(datagram[kLengthAt]) << 8 | datagram[kLengthAt + 1];
  return length == datagram.size() - kDtlsRecordHeader;
}

}  // namespace hearthcast::secure
