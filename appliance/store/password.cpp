#include "appliance/store/password.hpp"

#include <argon2.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace hearthcast::store {

std::string hash_password(Random& random, std::string_view password, PasswordCost cost) {
  constexpr std::size_t kHashSize = 32;
  constexpr std::uint32_t kLanes = 1;
  std::array<std::uint8_t, 16> salt{};
  random.fill(salt);
  std::vector<char> encoded(
      argon2_encodedlen(cost.passes, cost.memory_kib, kLanes, salt.size(), kHashSize, Argon2_id));
  const int code =
      argon2id_hash_encoded(cost.passes, cost.memory_kib, kLanes, password.data(), password.size(),
                            salt.data(), salt.size(), kHashSize, encoded.data(), encoded.size());
  if (code != ARGON2_OK) {
    throw std::runtime_error(std::string("argon2id: ") + argon2_error_message(code));
  }
  return encoded.data();
}

bool verify_password(const std::string& encoded, std::string_view password) {
  return argon2id_verify(encoded.c_str(), password.data(), password.size()) == ARGON2_OK;
}

}  // namespace hearthcast::store
