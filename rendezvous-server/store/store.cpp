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
};

constexpr std::size_t kIdSize = sizeof(Sha256);

IdentityId id_of(Bytes octets) {
  IdentityId id;
  std::copy_n(octets.begin(), std::min(octets.size(), kIdSize), id.digest.begin());
  return id;
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

Result<void, Failure> Store::back_up() {
  const auto done = sqlite::back_up(database_, sqlite::Rotate::kShift);
  if (!done) {
    return Failure{done.error().text};
  }
  return boost::system::in_place_value;
}

}  // namespace hearthcast::rendezvous
