#include "tunnelmgr/linux/failure.hpp"

#include <system_error>

namespace hearthcast::linux {

Failure kernel_failure(const std::string& operation, int error) {
  return Failure{operation + ": " + std::generic_category().message(error)};
}

}  // namespace hearthcast::linux
