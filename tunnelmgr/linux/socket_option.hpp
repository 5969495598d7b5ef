// Socket options, most of them one int. Some are wishes (an old kernel lacks them), so the caller decides
// what false means.
#pragma once

#include <optional>

namespace hearthcast::linux {

bool set_option(int fd, int level, int name, int value);
// Closing it resets the connection: the other end learns that it was cut off, not that all has been said.
void reset_when_closed(int fd);
[[nodiscard]] std::optional<int> get_option(int fd, int level, int name);

}  // namespace hearthcast::linux
