#include "tunnelmgr/secure/dtls_record.hpp"

#include <algorithm>

namespace hearthcast::secure {
namespace {

constexpr std::size_t kEpochAt = 3;
constexpr std::size_t kLengthAt = 11;
constexpr std::uint8_t kClientHello = 1;      // RFC 5246 section 7.4
constexpr std::size_t kLeastSealed = 8 + 16;  // RFC 5288 section 3: the explicit nonce and the tag

std::size_t length_of(Bytes record) {
  return static_cast<std::size_t>(record[kLengthAt]) << 8 | record[kLengthAt + 1];
}

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
  return length_of(datagram) == datagram.size() - kDtlsRecordHeader;
}

bool has_stunted_record(Bytes datagram) {
  while (datagram.size() >= kDtlsRecordHeader) {
    const std::size_t length = length_of(datagram);
    if ((datagram[kEpochAt] != 0 || datagram[kEpochAt + 1] != 0) && length < kLeastSealed) {
      return true;
    }
    datagram = datagram.subspan(std::min(datagram.size(), kDtlsRecordHeader + length));
  }
  return false;
}

}  // namespace hearthcast::secure
