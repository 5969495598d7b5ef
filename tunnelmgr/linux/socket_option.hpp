// Socket options that are one int. Some are wishes (an old kernel lacks them), so the caller decides what
// false means.
#pragma once

#include <optional>

namespace hearthcast::linux {

bool set_option(int fd, int level, int name, int value);
[[nodiscard]] std::optional<int> get_option(int fd, int level, int name);

}  // namespace hearthcast::linux
