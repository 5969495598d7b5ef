// How a command that cannot go on says why.
#pragma once

#include <string>

namespace hearthcast::mcast {

// Writes the text to standard error under the program's name; returns the code.
[[nodiscard]] int complain(const std::string& text, int code);

}  // namespace hearthcast::mcast
