// The durable part of the rendezvous in one SQLite file: the lists of devices that boxes signed. Losing it
// costs nothing for good: every box says its list again with its next hello.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "rendezvous-server/registry/allow_lists.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/sqlite/database.hpp"

namespace hearthcast::rendezvous {

// One thread at a time; the program uses it on its worker.
class Store {
 public:
  struct Opened;
  // A damaged file is moved aside and replaced by a backup or an empty one.
  [[nodiscard]] static Result<Opened, Failure> open(const std::filesystem::path& file);

  [[nodiscard]] Result<std::vector<AllowRecord>, Failure> load();
  [[nodiscard]] Result<void, Failure> save(const AllowRecord& record);
  [[nodiscard]] Result<void, Failure> back_up();  // beside the database, the last three are kept

 private:
  explicit Store(sqlite::Database database) : database_(std::move(database)) {}
  sqlite::Database database_;
};

struct Store::Opened {
  Store store;
  std::string lost;  // for the log: empty when nothing was lost
};

}  // namespace hearthcast::rendezvous
