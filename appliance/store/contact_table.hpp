// Where each device was last, and which of its introductions was the last accepted
// (docs/protocol/introduction.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/sqlite/database.hpp"

namespace hearthcast::store {

struct Contact {
  std::uint64_t generation = 0;  // with counter: the last pair accepted; later ones must be greater
  std::uint64_t counter = 0;
  std::optional<Endpoint> endpoint;  // the last path on which the device was connected
  friend bool operator==(const Contact&, const Contact&) = default;
};

[[nodiscard]] std::map<DeviceId, Contact> read_contacts(sqlite::Transaction& transaction);
// Of a device that is in the database; of another one it does nothing. Generation and counter never go back.
void write_contact(sqlite::Transaction& transaction, DeviceId device, const Contact& contact);

}  // namespace hearthcast::store
