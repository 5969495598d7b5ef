// Long-term credentials of STUN (RFC 8489 section 9.2), the client's side: what a server's challenge said,
// the key that follows from it, and requests sealed with that. No I/O; not thread-safe. Passwords stay
// inside.
//
// A server that names PASSWORD-ALGORITHMS gets MESSAGE-INTEGRITY-SHA256 and the best algorithm of its list;
// any other, coturn among them, the MD5 key of old and MESSAGE-INTEGRITY.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/old_hashes.hpp"
#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::nat {

class LongTerm {
 public:
  // Both outlive it.
  LongTerm(const Crypto& crypto, const OldHashes& hashes) : crypto_(crypto), hashes_(hashes) {}

  // What the server said so far stays.
  void set_account(std::string username, std::string password);
  void forget_challenge();  // another server

  // A 401 or 438. False when it cannot be used: no REALM or NONCE, or a sign that somebody on the way removed
  // the list of algorithms (RFC 8489 section 9.2.1).
  [[nodiscard]] bool on_challenge(const wire::StunMessage& answer);
  [[nodiscard]] bool challenged() const { return challenged_; }
  [[nodiscard]] const std::string& realm() const { return realm_; }

  // With USERNAME, REALM, NONCE and integrity once challenged, without them before.
  [[nodiscard]] Buffer seal(wire::StunMessage request) const;
  // An answer made with the same key.
  [[nodiscard]] bool proves(Bytes datagram) const;

 private:
  void make_key();

  const Crypto& crypto_;
  const OldHashes& hashes_;
  std::string username_;
  std::string password_;
  bool challenged_ = false;
  std::string realm_;
  std::string nonce_;
  std::vector<std::uint16_t> algorithms_;   // as the server listed them
  std::optional<std::uint16_t> algorithm_;  // chosen of them
  Buffer key_;
};

}  // namespace hearthcast::nat
