// One program at a time in a folder: a lock that the kernel drops when the program ends, however it ends.
#pragma once

#include <filesystem>

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

class FolderLock {
 public:
  // A Failure when another program holds it, or the folder cannot be used. No file is made for it.
  [[nodiscard]] static Result<FolderLock, Failure> take(const std::filesystem::path& folder);

 private:
  explicit FolderLock(Fd folder) : folder_(std::move(folder)) {}
  Fd folder_;
};

}  // namespace hearthcast::linux
