// All that makes a box this box, as one string of octets: its identity, and the database with owner,
// catalogue, devices and grants. It is secret; whoever stores it seals it (secure/passphrase_seal.hpp).
//
//   "HCX1", then parts: size of its name (u8), name, size (u32), octets. Unknown parts are passed over.
#pragma once

#include <string>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::store {

struct BoxExport {
  std::string identity;  // PEM
  Buffer database;       // SQLite, one file without a journal
  friend bool operator==(const BoxExport&, const BoxExport&) = default;
};

[[nodiscard]] Buffer encode(const BoxExport& box);
[[nodiscard]] hearthcast::Result<BoxExport> decode_box_export(Bytes octets);  // both parts are there

}  // namespace hearthcast::store
