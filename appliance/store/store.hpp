// Everything the box must still know tomorrow, in one SQLite file: owner, catalogue, devices, grants,
// contacts, logins.
//
// Synchronous, and slow where the disk is: in the program only the worker thread uses it. A failed write
// changes nothing, and a later one may succeed (a disk that was full). Statistics never come here.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "appliance/access/device_list.hpp"
#include "appliance/channels/catalogue.hpp"
#include "appliance/store/contact_table.hpp"
#include "appliance/store/login_table.hpp"
#include "tunnelmgr/sqlite/durable.hpp"

namespace hearthcast::store {

using sqlite::Result;

// What the owner edits. Written together, since a deleted channel leaves the grants, too.
struct Holdings {
  channels::Catalogue catalogue;
  access::DeviceList devices;
};

struct Owner {
  std::string password_hash;  // empty until set up
  std::string setup_code;     // of the first start; empty once it was used
  [[nodiscard]] bool set_up() const { return !password_hash.empty(); }
};

// Numbers for introductions that this box signs: generation and the first of a block of counters. Whoever is
// restarted takes another block, so none is used twice; counters of a new generation begin at 1.
struct CounterBlock {
  std::uint64_t generation = 1;
  std::uint64_t first = 1;
};

class Store {
 public:
  // Opens DIR/box.sqlite or falls back as sqlite::open_durable does. After a restore the generation has risen
  // and every revision is beyond what a peer may have seen, also of another restore of the same copy: by the
  // clock `now`, unless that is wrong.
  [[nodiscard]] static Result<Store> open(
      const std::filesystem::path& directory,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

  // What became of the database at open(), for the log; empty when all was well.
  [[nodiscard]] const std::string& recovery() const { return recovery_; }

  [[nodiscard]] Result<Holdings> load();
  [[nodiscard]] Result<void> save(const Holdings& before, const Holdings& after);

  [[nodiscard]] Result<Owner> load_owner();
  [[nodiscard]] Result<void> save_owner(const Owner& owner);

  [[nodiscard]] Result<std::map<DeviceId, Contact>> load_contacts();
  [[nodiscard]] Result<void> save_contact(DeviceId device, const Contact& contact);

  // Of that generation or, as with 0, of the present one if that is higher.
  [[nodiscard]] Result<CounterBlock> reserve_counters(std::uint64_t count, std::uint64_t generation = 0);

  // A restored backup knows of no login: it cannot know which were ended since.
  [[nodiscard]] Result<std::vector<Login>> load_logins();
  [[nodiscard]] Result<void> save_logins(const std::vector<Login>& logins);

  // Hourly: kShift. After a change of devices: kReplaceNewest, so that a restore does not bring a revoked one
  // back.
  [[nodiscard]] Result<void> back_up(sqlite::Rotate rotate) { return sqlite::back_up(database_, rotate); }

  [[nodiscard]] sqlite::Database& database() { return database_; }  // for tests that fill the disk

 private:
  explicit Store(sqlite::Durable durable);
  [[nodiscard]] Result<void> rise_after_restore(std::chrono::system_clock::time_point now);

  sqlite::Database database_;
  std::string recovery_;
};

}  // namespace hearthcast::store
