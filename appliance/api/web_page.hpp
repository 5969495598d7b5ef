// The web page's files, as compiled into the program.
#pragma once

#include "tunnelmgr/http/message.hpp"

namespace hearthcast::api {

// GET and HEAD only. Unknown paths are 404: the page routes behind the '#'.
[[nodiscard]] http::Response web_page(const http::Request& request);

}  // namespace hearthcast::api
