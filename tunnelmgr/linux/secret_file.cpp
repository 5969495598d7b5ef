#include "tunnelmgr/linux/secret_file.hpp"

#include <fstream>
#include <utility>

namespace hearthcast::linux {

Result<std::string, Failure> read_secret_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto permissions = std::filesystem::status(file, error).permissions();
  std::ifstream in(file);
  std::string line;
  if (error || !std::getline(in, line) || line.empty()) {
    return Failure{"the secret cannot be read from " + file.string() +
                   ": the file has to exist, to be readable for this program's user, and to hold one line"};
  }
  if ((permissions & std::filesystem::perms::others_all) != std::filesystem::perms::none) {
    return Failure{file.string() + " is open to everybody: chmod 640 it, or less"};
  }
  // In place: a Failure can be made of a text as well.
  return Result<std::string, Failure>{boost::system::in_place_value, std::move(line)};
}

}  // namespace hearthcast::linux
