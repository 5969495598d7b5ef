// What the plain header of a DTLS record says, for sorting datagrams before any session has seen them.
// Source: RFC 6347 section 4.1. Nothing here is authenticated.
#pragma once

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::secure {

inline constexpr std::size_t kDtlsRecordHeader = 13;

enum class DtlsContent { kChangeCipherSpec, kAlert, kHandshake, kApplicationData, kOther };

[[nodiscard]] DtlsContent dtls_content(Bytes datagram);  // of the first record; kOther when there is none

// A new session is asked for: an unprotected ClientHello. On an endpoint with an established session it means
// that the peer has restarted; a second session handshakes and replaces the first only when it is
// established.
[[nodiscard]] bool is_client_hello(Bytes datagram);

// True when the datagram is one record, neither cut nor followed by anything.
[[nodiscard]] bool is_single_record(Bytes datagram);

// True when a record that should be sealed (its epoch is not 0) has less than a nonce and a tag. It belongs
// to no handshake, and OpenSSL 3.0.19 never opens another record after one.
[[nodiscard]] bool has_stunted_record(Bytes datagram);

}  // namespace hearthcast::secure
