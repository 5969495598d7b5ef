// Giving up privileges, for good.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>

#include "tunnelmgr/base/result.hpp"

namespace hearthcast::linux {

[[nodiscard]] bool is_root();

// Becomes that user with its groups: no way back, no capability, and no program started later gains any.
// Needs root.
[[nodiscard]] Result<void, Failure> drop_to_user(const std::string& name);

// Keeps these capabilities (CAP_ numbers) and no other, for good. Root becomes that user with its groups;
// another user, who must have them already, stays who it is.
[[nodiscard]] Result<void, Failure> keep_only_capabilities(std::initializer_list<unsigned> capabilities,
                                                           const std::string& name = "nobody");

// Makes the folder (mode 0700, its parents 0755) if it is missing, and gives it to that user, with what an
// earlier run as root left in it. What is in a folder that the user has already stays as it is: the user may
// have put anything there. An empty name leaves the owner. For state and sockets of a program that is about
// to drop.
[[nodiscard]] Result<void, Failure> prepare_folder(const std::filesystem::path& folder,
                                                   const std::string& user);

}  // namespace hearthcast::linux
