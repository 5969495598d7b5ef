// Whether a request names this box: the defence against pages that point their own name at the box's address
// (DNS rebinding).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearthcast::api {

// `host` is the Host header. An address, localhost, and one of `names` (lower case) are the box; a port does
// not matter, nor does a final dot.
[[nodiscard]] bool names_this_box(std::string_view host, const std::vector<std::string>& names);

}  // namespace hearthcast::api
