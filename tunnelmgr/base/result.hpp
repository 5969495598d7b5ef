// A value or the reason why there is none. boost::system::result, since g++ 12 and clang 14 share no
// std::expected. Mark every function that returns one [[nodiscard]]; test it, then use *r or r.error().
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>

namespace hearthcast {

enum class ParseError { kTruncated, kBadLength, kBadValue, kBadChecksum, kUnknownType, kUnsupported };

[[nodiscard]] constexpr const char* describe(ParseError error) {
  switch (error) {
    case ParseError::kTruncated:
      return "truncated";
    case ParseError::kBadLength:
      return "bad length";
    case ParseError::kBadValue:
      return "bad value";
    case ParseError::kBadChecksum:
      return "bad checksum";
    case ParseError::kUnknownType:
      return "unknown type";
    case ParseError::kUnsupported:
      return "unsupported";
  }
  return "unknown";
}

template <class T, class E = ParseError>
using Result = boost::system::result<T, E>;

// An error for people: what failed and what to do. Used where the machine or a person is at fault, not a
// packet.
struct Failure {
  std::string text;
};

// result<T, E>::value() throws the text. Found by argument-dependent lookup; for tests and start-up, since
// everything else tests the result first.
[[noreturn]] inline void throw_exception_from_error(const Failure& e, const boost::source_location&) {
  throw std::runtime_error(e.text);
}
[[noreturn]] inline void throw_exception_from_error(ParseError e, const boost::source_location&) {
  throw std::runtime_error(describe(e));
}

}  // namespace hearthcast
