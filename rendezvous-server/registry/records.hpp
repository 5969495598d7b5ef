// What the operator's directory holds and the store keeps: boxes, owners, enrolment tokens. Times are seconds
// of Unix time by this server's clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/ids.hpp"

namespace hearthcast::rendezvous {

using OwnerId = Id<struct OwnerTag>;
using TokenId = Id<struct TokenTag>;

struct BoxRecord {
  IdentityId box;
  std::int64_t enrolled_at = 0;
  std::string name;                   // the operator's; empty: none
  std::optional<OwnerId> owner;       // none is needed
  std::optional<std::string> closed;  // why the operator closed it
  friend bool operator==(const BoxRecord&, const BoxRecord&) = default;
};

struct OwnerRecord {
  OwnerId id;
  std::string name;  // of one owner only
  std::int64_t created_at = 0;
  friend bool operator==(const OwnerRecord&, const OwnerRecord&) = default;
};

// 128 random bits, shown once when made; only their hash is kept.
struct TokenRecord {
  TokenId id;
  Sha256 hash{};
  std::string note;
  std::optional<OwnerId> owner;  // whose the boxes become that enrol with it
  std::int64_t created_at = 0;
  std::optional<std::int64_t> expires_at;
  std::optional<std::int64_t> uses_left;
  friend bool operator==(const TokenRecord&, const TokenRecord&) = default;
};

// What to write: all of it or nothing. Removals come first.
struct Change {
  std::vector<IdentityId> boxes_gone = {};
  std::vector<OwnerId> owners_gone = {};
  std::vector<TokenId> tokens_gone = {};
  std::vector<BoxRecord> boxes = {};
  std::vector<OwnerRecord> owners = {};
  std::vector<TokenRecord> tokens = {};
};

}  // namespace hearthcast::rendezvous
