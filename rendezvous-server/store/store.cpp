#include "rendezvous-server/store/store.hpp"

#include <algorithm>

#include "tunnelmgr/sqlite/backup.hpp"
#include "tunnelmgr/sqlite/durable.hpp"

namespace hearthcast::rendezvous {
namespace {

constexpr sqlite::Migration kMigrations[] = {
    {1, R"(CREATE TABLE allow_list (
             box BLOB PRIMARY KEY CHECK (length(box) = 32),
             public_key BLOB NOT NULL,
             revision BLOB NOT NULL CHECK (length(revision) = 8),  -- big-endian: SQLite's integers are signed
             devices BLOB NOT NULL CHECK (length(devices) % 32 = 0),
             signature BLOB NOT NULL
           ) WITHOUT ROWID;)"},
    // A box that said its list before there was a directory is known.
    {2, R"(CREATE TABLE owner (
             id INTEGER PRIMARY KEY,
             name TEXT NOT NULL UNIQUE,
             created_at INTEGER NOT NULL
           );
           CREATE TABLE box (
             id BLOB PRIMARY KEY CHECK (length(id) = 32),
             enrolled_at INTEGER NOT NULL,
             name TEXT NOT NULL,
             owner INTEGER REFERENCES owner (id),
             closed TEXT  -- why; NULL: it is not
           ) WITHOUT ROWID;
           CREATE TABLE token (
             id INTEGER PRIMARY KEY,
             hash BLOB NOT NULL CHECK (length(hash) = 32),
             note TEXT NOT NULL,
             owner INTEGER REFERENCES owner (id),
             created_at INTEGER NOT NULL,
             expires_at INTEGER,
             uses_left INTEGER
           );
           INSERT INTO box SELECT box, 0, '', NULL, NULL FROM allow_list;)"},
};

constexpr std::size_t kIdSize = sizeof(Sha256);

Sha256 hash_of(Bytes octets) {
  Sha256 hash{};
  std::copy_n(octets.begin(), std::min(octets.size(), kIdSize), hash.begin());
  return hash;
}

IdentityId id_of(Bytes octets) { return {hash_of(octets)}; }

std::optional<std::int64_t> number_of(const sqlite::Row& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.integer(column));
}

std::optional<OwnerId> owner_of(const sqlite::Row& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(OwnerId{row.integer(column)});
}

sqlite::Value value_of(const std::optional<std::int64_t>& number) {
  return number ? sqlite::Value(*number) : sqlite::Value(nullptr);
}

sqlite::Value value_of(const std::optional<OwnerId>& owner) {
  return owner ? sqlite::Value(owner->value) : sqlite::Value(nullptr);
}

AllowRecord record_of(const sqlite::Row& row) {
  AllowRecord record;
  record.box = id_of(row.blob(0));
  record.public_key = row.blob(1);
  const Buffer revision = row.blob(2);
  record.allow.revision = Reader(revision).u64();
  const Buffer devices = row.blob(3);
  for (std::size_t at = 0; at + kIdSize <= devices.size(); at += kIdSize) {
    record.allow.devices.push_back(id_of(Bytes(devices).subspan(at, kIdSize)));
  }
  record.allow.signature = row.blob(4);
  return record;
}

}  // namespace

Result<Store::Opened, Failure> Store::open(const std::filesystem::path& file) {
  auto opened = sqlite::open_durable(file, kMigrations);
  if (!opened) {
    return Failure{opened.error().text};
  }
  return Opened{Store(std::move(opened->database)), std::move(opened->text)};
}

Result<std::vector<AllowRecord>, Failure> Store::load() {
  std::vector<AllowRecord> records;
  const auto read = database_.query("SELECT box, public_key, revision, devices, signature FROM allow_list",
                                    {}, [&](const sqlite::Row& row) { records.push_back(record_of(row)); });
  if (!read) {
    return Failure{read.error().text};
  }
  return records;
}

Result<void, Failure> Store::save(const AllowRecord& record) {
  Buffer revision;
  Writer(revision).u64(record.allow.revision);
  Buffer devices;
  for (const IdentityId& id : record.allow.devices) {
    devices.insert(devices.end(), id.digest.begin(), id.digest.end());
  }
  const auto saved = database_.run(
      "INSERT INTO allow_list (box, public_key, revision, devices, signature) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (box) DO UPDATE SET public_key = excluded.public_key, revision = excluded.revision, "
      "devices = excluded.devices, signature = excluded.signature",
      {Bytes(record.box.digest), Bytes(record.public_key), Bytes(revision), Bytes(devices),
       Bytes(record.allow.signature)});
  if (!saved) {
    return Failure{saved.error().text};
  }
  return boost::system::in_place_value;
}

Result<Change, Failure> Store::load_directory() {
  Change all;
  auto read = database_.query("SELECT id, name, created_at FROM owner", {}, [&](const sqlite::Row& row) {
    all.owners.push_back({{row.integer(0)}, row.text(1), row.integer(2)});
  });
  if (read) {
    read = database_.query(
        "SELECT id, enrolled_at, name, owner, closed FROM box", {}, [&](const sqlite::Row& row) {
          all.boxes.push_back({id_of(row.blob(0)), row.integer(1), row.text(2), owner_of(row, 3),
                               row.is_null(4) ? std::nullopt : std::optional(row.text(4))});
        });
  }
  if (read) {
    read = database_.query("SELECT id, hash, note, owner, created_at, expires_at, uses_left FROM token", {},
                           [&](const sqlite::Row& row) {
                             all.tokens.push_back({{row.integer(0)},
                                                   hash_of(row.blob(1)),
                                                   row.text(2),
                                                   owner_of(row, 3),
                                                   row.integer(4),
                                                   number_of(row, 5),
                                                   number_of(row, 6)});
                           });
  }
  if (!read) {
    return Failure{read.error().text};
  }
  return all;
}

Result<void, Failure> Store::save(const Change& change) {
  sqlite::Transaction transaction(database_);
  for (const IdentityId& box : change.boxes_gone) {
    transaction.run("DELETE FROM box WHERE id = ?", {Bytes(box.digest)});
    transaction.run("DELETE FROM allow_list WHERE box = ?", {Bytes(box.digest)});
  }
  for (const TokenId token : change.tokens_gone) {
    transaction.run("DELETE FROM token WHERE id = ?", {token.value});
  }
  for (const OwnerRecord& owner : change.owners) {
    transaction.run("INSERT OR REPLACE INTO owner VALUES (?, ?, ?)",
                    {owner.id.value, std::string_view(owner.name), owner.created_at});
  }
  for (const BoxRecord& box : change.boxes) {
    transaction.run("INSERT OR REPLACE INTO box VALUES (?, ?, ?, ?, ?)",
                    {Bytes(box.box.digest), box.enrolled_at, std::string_view(box.name), value_of(box.owner),
                     box.closed ? sqlite::Value(std::string_view(*box.closed)) : sqlite::Value(nullptr)});
  }
  for (const TokenRecord& token : change.tokens) {
    transaction.run("INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?, ?, ?)",
                    {token.id.value, Bytes(token.hash), std::string_view(token.note), value_of(token.owner),
                     token.created_at, value_of(token.expires_at), value_of(token.uses_left)});
  }
  for (const OwnerId owner : change.owners_gone) {  // last: nothing refers to them any more
    transaction.run("DELETE FROM owner WHERE id = ?", {owner.value});
  }
  if (const auto done = transaction.commit(); !done) {
    return Failure{done.error().text};
  }
  return boost::system::in_place_value;
}

Result<std::filesystem::path, Failure> Store::refresh_backup() {
  const auto done = sqlite::back_up(database_, sqlite::Rotate::kReplaceNewest);
  if (!done) {
    return Failure{done.error().text};
  }
  return {boost::system::in_place_value, sqlite::backup_path(database_.file(), 1)};
}

Result<void, Failure> Store::back_up() {
  const auto done = sqlite::back_up(database_, sqlite::Rotate::kShift);
  if (!done) {
    return Failure{done.error().text};
  }
  return boost::system::in_place_value;
}

Result<void, Failure> check_database(const std::filesystem::path& file) {
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(file, unknown)) {
    return Failure{file.string() + " is no file"};
  }
  auto opened = sqlite::Database::open(file);
  if (!opened) {
    return Failure{opened.error().text};
  }
  std::int64_t version = 0;
  std::int64_t tables = 0;
  auto checked = opened->intact();
  if (checked) {
    checked =
        opened->query("PRAGMA user_version", {}, [&](const sqlite::Row& row) { version = row.integer(0); });
  }
  if (checked) {
    checked = opened->query("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'allow_list'",
                            {}, [&](const sqlite::Row& row) { tables = row.integer(0); });
  }
  if (!checked) {
    return Failure{checked.error().text};
  }
  if (version < 1 || tables != 1) {
    return Failure{file.string() + " is not the database of a rendezvous"};
  }
  if (version > static_cast<std::int64_t>(std::size(kMigrations))) {
    return Failure{file.string() + " was written by a newer version of this program"};
  }
  return boost::system::in_place_value;
}

}  // namespace hearthcast::rendezvous
