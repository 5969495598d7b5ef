// The catalogue in the database.
#pragma once

#include "appliance/channels/catalogue.hpp"
#include "tunnelmgr/sqlite/database.hpp"

namespace hearthcast::store {

[[nodiscard]] channels::Catalogue read_catalogue(sqlite::Transaction& transaction);

// Writes what differs, so that a rename among ten thousand channels is one row.
void write_catalogue(sqlite::Transaction& transaction, const channels::Catalogue& before,
                     const channels::Catalogue& after);

}  // namespace hearthcast::store
