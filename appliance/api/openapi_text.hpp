// The text of openapi.yaml, compiled into the program.
#pragma once

#include <string_view>

namespace hearthcast::api {

[[nodiscard]] std::string_view openapi_text();

}  // namespace hearthcast::api
