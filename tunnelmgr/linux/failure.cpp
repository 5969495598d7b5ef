#include "tunnelmgr/linux/failure.hpp"

#include <system_error>

namespace hearthcast::linux {

void throw_exception_from_error(KernelError error, const boost::source_location&) {
  throw std::system_error(static_cast<int>(error), std::generic_category());
}

Failure kernel_failure(const std::string& operation, int error) {
  return Failure{operation + ": " + std::generic_category().message(error)};
}

}  // namespace hearthcast::linux
