// What the kernel refused, as a sentence for people.
#pragma once

#include <string>

#include "tunnelmgr/base/result.hpp"

namespace hearthcast::linux {

// What the kernel refused, as a number (an errno): for callers that have their own words for it.
enum class KernelError : int {};
[[noreturn]] void throw_exception_from_error(KernelError error, const boost::source_location&);

// "OPERATION: the text of error". Error is an errno.
[[nodiscard]] Failure kernel_failure(const std::string& operation, int error);

}  // namespace hearthcast::linux
