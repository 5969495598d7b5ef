// What libnl says went wrong, as the errno that callers tell apart.
#pragma once

#include "tunnelmgr/linux/failure.hpp"

namespace hearthcast::linux {

// `error` is the negative number that a libnl call returned. What is none of permission, absence, presence or
// memory is EINVAL.
[[nodiscard]] KernelError from_netlink(int error);

}  // namespace hearthcast::linux
