// Opens a database that must be there tomorrow: checks it, and when it is damaged or gone, falls back to a
// backup.
#pragma once

#include <string>

#include "tunnelmgr/sqlite/backup.hpp"
#include "tunnelmgr/sqlite/migrations.hpp"

namespace hearthcast::sqlite {

struct Durable {
  enum class Origin {
    kExisting,
    kNew,          // no database and no backup was there
    kRestored,     // damaged or missing; now the newest intact backup. What came after that backup is lost
    kStartedOver,  // damaged, and no intact backup: empty. Users of it must start closed, never open to all
  };
  Database database;
  Origin origin = Origin::kExisting;
  std::string text;  // for the log, when something was lost: what, and where the damaged file is kept
};

// A damaged file is moved aside to FILE.damaged-N, never deleted. A full disk, missing permissions and a
// database of a newer version are errors that leave everything as it is.
[[nodiscard]] Result<Durable> open_durable(const std::filesystem::path& file,
                                           std::span<const Migration> migrations);

}  // namespace hearthcast::sqlite
