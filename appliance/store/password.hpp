// The owner's password as argon2id (RFC 9106). Slow on purpose: worker thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tunnelmgr/base/crypto.hpp"

namespace hearthcast::store {

struct PasswordCost {
  std::uint32_t memory_kib = 32 * 1024;  // fits a plug-in box with 512 MiB
  std::uint32_t passes = 3;
};

// The encoded form ($argon2id$...), which carries salt and cost. Ends the program when there is no memory for
// it.
[[nodiscard]] std::string hash_password(Random& random, std::string_view password, PasswordCost cost = {});
// False for a wrong password and for a text that is no such hash.
[[nodiscard]] bool verify_password(const std::string& encoded, std::string_view password);

}  // namespace hearthcast::store
