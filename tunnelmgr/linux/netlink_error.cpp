#include "tunnelmgr/linux/netlink_error.hpp"

#include <netlink/errno.h>

#include <cerrno>

namespace hearthcast::linux {

KernelError from_netlink(int error) {
  switch (-error) {
    case NLE_PERM:
      return KernelError{EPERM};
    case NLE_NOACCESS:
      return KernelError{EACCES};
    case NLE_OBJ_NOTFOUND:
      return KernelError{ENOENT};
    case NLE_EXIST:
      return KernelError{EEXIST};
    case NLE_NODEV:
      return KernelError{ENODEV};
    case NLE_AF_NOSUPPORT:
    case NLE_OPNOTSUPP:
      return KernelError{EAFNOSUPPORT};
    case NLE_NOMEM:
      return KernelError{ENOMEM};
    default:
      return KernelError{EINVAL};
  }
}

}  // namespace hearthcast::linux
