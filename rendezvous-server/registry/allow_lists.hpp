// Which devices may ask a box for an introduction: lists that the boxes signed. Durable: the owner stores
// what update() accepts and loads it at start. They only keep strangers from bothering boxes; they grant
// nothing.
#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/signalling/message.hpp"

namespace hearthcast::rendezvous {

struct AllowRecord {  // as stored
  IdentityId box;
  Buffer public_key;
  signalling::Allow allow;
};

class AllowLists {
 public:
  enum class Verdict { kAccepted, kUnchanged, kOld, kBadSignature };

  // Verifies the signature. kOld: a revision below the known one, e.g. from a box that was set back; the list
  // of the higher revision stays until the box, which is told of it, has passed it.
  [[nodiscard]] Verdict update(const Crypto& crypto, const AllowRecord& record);
  // For records of the own store: verified as well, since a file may be damaged. False: dropped.
  bool load(const Crypto& crypto, const AllowRecord& record);
  void forget(const IdentityId& box) { lists_.erase(box); }
  [[nodiscard]] bool allows(const IdentityId& box, const IdentityId& device) const;
  // Empty for a box that is not known; good until the next change.
  [[nodiscard]] const std::set<IdentityId>& devices_of(const IdentityId& box) const;
  [[nodiscard]] std::optional<std::uint64_t> revision_of(const IdentityId& box) const;
  [[nodiscard]] std::size_t size() const { return lists_.size(); }

 private:
  struct List {
    std::uint64_t revision = 0;
    std::set<IdentityId> devices;
  };
  std::unordered_map<IdentityId, List> lists_;
};

}  // namespace hearthcast::rendezvous
