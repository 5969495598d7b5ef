// Names as people may give them: short, one line, valid UTF-8, whatever came in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hearthcast::channels {

// Ill-formed UTF-8 becomes U+FFFD, control characters become spaces, runs of spaces become one, both ends are
// trimmed, and at most max_characters code points stay. May be empty. Markup is left alone: whoever shows a
// name shows it as text.
[[nodiscard]] std::string clean_label(std::string_view raw, std::size_t max_characters);

}  // namespace hearthcast::channels
