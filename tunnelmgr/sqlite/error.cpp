#include "tunnelmgr/sqlite/error.hpp"

#include <sqlite3.h>

namespace hearthcast::sqlite {

Error make_error(int code, const std::string& what, const std::string& message) {
  const std::string detail = what + ": " + message;
  switch (code & 0xff) {  // the primary code; the rest says where
    case SQLITE_FULL:
      return {Error::Kind::kFull,
              "The disk is full, so nothing was changed; free some space and try again (" + detail + ")"};
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return {Error::Kind::kUnwritable,
              "The state directory cannot be read or written; check the disk and the "
              "directory's owner (" +
                  detail + ")"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Error::Kind::kDamaged, "The database is damaged (" + detail + ")"};
    default:
      return {Error::Kind::kOther, "The database refused (" + detail + ")"};
  }
}

}  // namespace hearthcast::sqlite
