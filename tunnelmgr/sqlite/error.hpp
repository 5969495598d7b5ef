// Why a database could not be read or written, for programs and for people.
#pragma once

#include <stdexcept>
#include <string>

#include "tunnelmgr/base/result.hpp"

namespace hearthcast::sqlite {

struct Error {
  enum class Kind {
    kFull,        // no room on the disk; nothing was changed, and it works again when there is room
    kUnwritable,  // read-only or an I/O error
    kDamaged,     // not a database, or not an intact one
    kTooNew,      // written by a newer version of this program
    kOther,
  };
  Kind kind = Kind::kOther;
  std::string text;
};

template <class T>
using Result = hearthcast::Result<T, Error>;

// From a result code of SQLite, with the operation and the object that it concerns.
[[nodiscard]] Error make_error(int code, const std::string& what, const std::string& message);

[[noreturn]] inline void throw_exception_from_error(const Error& e, const boost::source_location&) {
  throw std::runtime_error(e.text);
}

}  // namespace hearthcast::sqlite
