// The durable part of the rendezvous in one SQLite file: the lists of devices that boxes signed, and the
// operator's directory. Lists that are lost are said again with the boxes' next hellos; names, owners, tokens
// and closings are not, so that what is lost of them lets in nobody under a policy that asks for a token.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "rendezvous-server/registry/allow_lists.hpp"
#include "rendezvous-server/registry/records.hpp"
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
  [[nodiscard]] Result<Change, Failure> load_directory();  // as what would make it
  // All or nothing. The list of a box that is gone goes with it.
  [[nodiscard]] Result<void, Failure> save(const Change& change);
  [[nodiscard]] Result<void, Failure> back_up();  // beside the database, the last three are kept
  // The newest of those, brought up to date; returns where it is.
  [[nodiscard]] Result<std::filesystem::path, Failure> refresh_backup();

 private:
  explicit Store(sqlite::Database database) : database_(std::move(database)) {}
  sqlite::Database database_;
};

// Whether the file is an intact database of a rendezvous, of this version or an earlier one; why not, in
// words.
[[nodiscard]] Result<void, Failure> check_database(const std::filesystem::path& file);

struct Store::Opened {
  Store store;
  std::string lost;  // for the log: empty when nothing was lost
};

}  // namespace hearthcast::rendezvous
