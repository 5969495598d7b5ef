// Octets sealed by a passphrase, for files that leave the machine: scrypt (RFC 7914) makes the key,
// AES-256-GCM seals. Takes a tenth of a second to a second and 128 MiB: not for the control thread.
//
//   "HEARTHCAST SEALED 1\n" (20), binary logarithm of scrypt's N (1), salt (16), nonce (12), sealed octets,
//   tag (16). r is 8, p is 1. Whatever stands before the sealed octets is authenticated with them.
#pragma once

#include <string_view>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::secure {

inline constexpr int kSealWork = 17;       // N = 131072
inline constexpr int kLeastSealWork = 10;  // what is opened at all; the file says which
inline constexpr int kMostSealWork = 20;

// A Failure says that there is not enough memory.
[[nodiscard]] Result<Buffer, Failure> seal_by_passphrase(Bytes plain, std::string_view passphrase,
                                                         Random& random, int work = kSealWork);
// A Failure says whether it is no such file, or the passphrase is wrong or the file damaged, which look
// alike.
[[nodiscard]] Result<Buffer, Failure> open_by_passphrase(Bytes sealed, std::string_view passphrase);

}  // namespace hearthcast::secure
