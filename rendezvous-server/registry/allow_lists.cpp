#include "rendezvous-server/registry/allow_lists.hpp"

namespace hearthcast::rendezvous {

AllowLists::Verdict AllowLists::update(const Crypto& crypto, const AllowRecord& record) {
  const auto known = lists_.find(record.box);
  std::set<IdentityId> devices(record.allow.devices.begin(), record.allow.devices.end());
  if (known != lists_.end()) {
    if (record.allow.revision < known->second.revision) {
      return Verdict::kOld;
    }
    if (record.allow.revision == known->second.revision) {
      // The same revision with other devices can only come of a signature replayed or of a restored box.
      return devices == known->second.devices ? Verdict::kUnchanged : Verdict::kOld;
    }
  }
  if (crypto.sha256(record.public_key) != record.box.digest ||
      !crypto.verify(record.public_key, signalling::allow_signature_input(record.allow),
                     record.allow.signature)) {
    return Verdict::kBadSignature;
  }
  lists_[record.box] = {record.allow.revision, std::move(devices)};
  return Verdict::kAccepted;
}

bool AllowLists::load(const Crypto& crypto, const AllowRecord& record) {
  return update(crypto, record) == Verdict::kAccepted;
}

bool AllowLists::allows(const IdentityId& box, const IdentityId& device) const {
  const auto at = lists_.find(box);
  return at != lists_.end() && at->second.devices.contains(device);
}

const std::set<IdentityId>& AllowLists::devices_of(const IdentityId& box) const {
  static const std::set<IdentityId> kNone;
  const auto at = lists_.find(box);
  return at == lists_.end() ? kNone : at->second.devices;
}

std::optional<std::uint64_t> AllowLists::revision_of(const IdentityId& box) const {
  const auto at = lists_.find(box);
  return at == lists_.end() ? std::nullopt : std::optional(at->second.revision);
}

}  // namespace hearthcast::rendezvous
