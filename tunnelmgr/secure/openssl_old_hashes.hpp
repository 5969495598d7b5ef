// SHA-1 and MD5 by OpenSSL, for the formats of foreign tunnels and for TURN. Safe from every thread.
#pragma once

#include "tunnelmgr/base/old_hashes.hpp"

namespace hearthcast::secure {

class OpenSslOldHashes final : public OldHashes {
 public:
  [[nodiscard]] std::array<std::uint8_t, 20> sha1(Bytes message) const override;
  [[nodiscard]] std::array<std::uint8_t, 16> md5(Bytes message) const override;
};

}  // namespace hearthcast::secure
