// Who was signed in to the web page: hashes of tokens, never the tokens.
#pragma once

#include <chrono>
#include <vector>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/sqlite/database.hpp"

namespace hearthcast::store {

struct Login {
  Sha256 token{};               // its hash
  bool https = true;            // given over HTTPS, else over the HTTP of the LAN
  std::chrono::seconds idle{};  // since it was used last; time that the box was off does not count
  friend bool operator==(const Login&, const Login&) = default;
};

[[nodiscard]] std::vector<Login> read_logins(sqlite::Transaction& transaction);
void write_logins(sqlite::Transaction& transaction, const std::vector<Login>& logins);  // these and no other

}  // namespace hearthcast::store
