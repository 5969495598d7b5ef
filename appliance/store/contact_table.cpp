#include "appliance/store/contact_table.hpp"

namespace hearthcast::store {

std::map<DeviceId, Contact> read_contacts(sqlite::Transaction& t) {
  std::map<DeviceId, Contact> contacts;
  t.query("SELECT device, generation, counter, endpoint FROM device_contact", {},
          [&](const sqlite::Row& row) {
            contacts[DeviceId{row.integer(0)}] = {static_cast<std::uint64_t>(row.integer(1)),
                                                  static_cast<std::uint64_t>(row.integer(2)),
                                                  Endpoint::parse(row.text(3))};
          });
  return contacts;
}

void write_contact(sqlite::Transaction& t, DeviceId device, const Contact& contact) {
  const std::string endpoint = contact.endpoint ? contact.endpoint->to_string() : std::string();
  t.run(
      "INSERT INTO device_contact (device, generation, counter, endpoint) "
      "SELECT id, ?2, ?3, ?4 FROM device WHERE id = ?1 "
      "ON CONFLICT (device) DO UPDATE SET endpoint = excluded.endpoint, "
      "counter = CASE WHEN (excluded.generation, excluded.counter) > (generation, counter) THEN "
      "excluded.counter "
      "ELSE counter END, generation = max(generation, excluded.generation)",
      {device.value, static_cast<std::int64_t>(contact.generation),
       static_cast<std::int64_t>(contact.counter), std::string_view(endpoint)});
}

}  // namespace hearthcast::store
