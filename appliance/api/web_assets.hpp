// The files of the web page, compiled into the program: made from webui/dist by packaging/cmake/webui.cmake.
//
// The table lives in static memory for the whole run, is sorted by path, and may be read from any
// thread. It is never empty: when the page was not built, it holds one index.html that says so.
#pragma once

#include <span>
#include <string_view>

namespace hearthcast::api {

struct WebAsset {
  std::string_view path;          // as in the URL: "/assets/index-B1x9.js"; "/" is "/index.html"
  std::string_view content_type;  // with charset where it is text
  std::string_view gzip;          // the body as `Content-Encoding: gzip`
  std::string_view etag;          // with its quotes, of the uncompressed body
  bool immutable;                 // the name holds a hash: cache for ever. Otherwise `no-cache` and ETag
};

[[nodiscard]] std::span<const WebAsset> web_assets();

// The asset of a path, or nothing. O(log n).
[[nodiscard]] const WebAsset* find_web_asset(std::string_view path);

// What every page is served with. The page has no inline script or style; the QR code is a data: picture.
inline constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace hearthcast::api
