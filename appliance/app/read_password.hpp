// A password from standard input: unseen when it is a terminal, else the first line.
#pragma once

#include <optional>
#include <string>

namespace hearthcast::app {

[[nodiscard]] std::optional<std::string> read_password(const std::string& prompt);

}  // namespace hearthcast::app
