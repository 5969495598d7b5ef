// Text of unknown origin as clean UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace hearthcast::playlist {

[[nodiscard]] bool is_utf8(std::string_view text);  // RFC 3629: no overlong forms, no surrogates
// UTF-8 stays; anything else is taken as ISO 8859-1. Control characters become spaces; blanks at the ends go.
[[nodiscard]] std::string clean_text(std::string_view text);

}  // namespace hearthcast::playlist
