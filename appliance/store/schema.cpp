#include "appliance/store/schema.hpp"

namespace hearthcast::store {
namespace {

// Addresses are text (RFC 5952), an absent source is ''. Channel ids and device ids are never reused: the
// next ones are settings. A grant names a channel without a foreign key, since both are written by one
// transaction.
constexpr sqlite::Migration kSchema[] = {
    {1, R"(
CREATE TABLE setting (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
)"},
    {2, R"(
CREATE TABLE channel (
  id         INTEGER PRIMARY KEY,
  position   INTEGER NOT NULL,
  name       TEXT NOT NULL,
  source     TEXT NOT NULL,
  multicast_group TEXT NOT NULL,
  port       INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
  rtp        INTEGER NOT NULL CHECK (rtp IN (0, 1)),
  UNIQUE (source, multicast_group, port)
);
CREATE TABLE channel_attribute (
  channel INTEGER NOT NULL REFERENCES channel (id) ON DELETE CASCADE,
  name    TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (channel, name)
) WITHOUT ROWID;
)"},
    {3, R"(
CREATE TABLE device (
  id         INTEGER PRIMARY KEY,
  identity   BLOB NOT NULL UNIQUE CHECK (length(identity) = 32),
  public_key BLOB NOT NULL,
  name       TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'revoked')),
  grants_all INTEGER NOT NULL CHECK (grants_all IN (0, 1)),
  revision   INTEGER NOT NULL
);
CREATE TABLE device_grant (
  device  INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  channel INTEGER NOT NULL,
  PRIMARY KEY (device, channel)
) WITHOUT ROWID;
)"},
    {4, R"(
CREATE TABLE device_contact (
  device     INTEGER PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
  generation INTEGER NOT NULL,
  counter    INTEGER NOT NULL,
  endpoint   TEXT NOT NULL
);
)"},
    {5, R"(
ALTER TABLE device ADD COLUMN lan_link BLOB CHECK (lan_link IS NULL OR length(lan_link) = 32);
)"},
    {6, R"(
CREATE TABLE login (
  token BLOB PRIMARY KEY CHECK (length(token) = 32),
  https INTEGER NOT NULL CHECK (https IN (0, 1)),
  idle  INTEGER NOT NULL CHECK (idle >= 0)
) WITHOUT ROWID;
)"},
    {7, R"(
CREATE TABLE device_home_host (
  device   INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  host     TEXT NOT NULL,
  PRIMARY KEY (device, position)
) WITHOUT ROWID;
)"},
};

}  // namespace

std::span<const sqlite::Migration> schema() { return kSchema; }

}  // namespace hearthcast::store
