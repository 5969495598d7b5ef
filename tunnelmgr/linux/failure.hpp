// What the kernel refused, as a sentence for people.
#pragma once

#include <string>

#include "tunnelmgr/base/result.hpp"

namespace hearthcast::linux {

// "OPERATION: the text of error". Error is an errno.
[[nodiscard]] Failure kernel_failure(const std::string& operation, int error);

}  // namespace hearthcast::linux
