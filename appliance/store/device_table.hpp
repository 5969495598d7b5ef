// Devices and their grants in the database.
#pragma once

#include "appliance/access/device_list.hpp"
#include "tunnelmgr/sqlite/database.hpp"

namespace hearthcast::store {

[[nodiscard]] access::DeviceList read_devices(sqlite::Transaction& transaction);

// Writes what differs. A device that is gone takes its grants and its contact with it.
void write_devices(sqlite::Transaction& transaction, const access::DeviceList& before,
                   const access::DeviceList& after);

}  // namespace hearthcast::store
