// What makes this box this box, taken while it runs; and put in an empty place, from which a box starts as
// it. Slow where the disk is. Source: docs/moving.md.
#pragma once

#include <filesystem>

#include "appliance/household/household.hpp"
#include "appliance/store/export.hpp"

namespace hearthcast::household {

inline constexpr std::size_t kLeastPassphrase = 10;  // characters; scrypt does the rest

// On the household's thread. As of now: the newest backup is brought up to date first.
[[nodiscard]] hearthcast::Result<store::BoxExport, Failure> export_box(Household& household);

struct Restored {
  std::size_t devices = 0;
  std::size_t channels = 0;
  std::filesystem::path former;  // where what was there before was moved; empty: nothing was
};
// Into a state folder that the caller has locked (linux::FolderLock); `force`: also when it holds another
// box, which is moved aside. All is checked before anything of the folder is touched: that the database
// opens, is whole and of a known version. The introductions' generation rises, and nobody is signed in. A
// power cut leaves the folder as it was, or what finish_restore() makes whole.
[[nodiscard]] hearthcast::Result<Restored, Failure> restore_box(const store::BoxExport& box,
                                                                const std::filesystem::path& state_dir,
                                                                bool force);

// Before a box starts in that folder, with the lock held: puts in place what a restore that was cut short had
// checked and left ready. False: there was none.
[[nodiscard]] hearthcast::Result<bool, Failure> finish_restore(const std::filesystem::path& state_dir);

}  // namespace hearthcast::household
