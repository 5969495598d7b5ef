#include "appliance/api/web_page.hpp"

#include "appliance/api/web_assets.hpp"

namespace hearthcast::api {

http::Response web_page(const http::Request& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    auto response = http::Response::text(405, "The web page can only be read.\n");
    response.headers.set("Allow", "GET, HEAD");
    return response;
  }
  const WebAsset* asset =
      find_web_asset(request.path == "/" ? "/index.html" : std::string_view(request.path));
  if (asset == nullptr) {
    return http::Response::text(404, "There is no such page. The box's web page is at /\n");
  }
  http::Response response;
  response.headers.set("ETag", std::string(asset->etag));
  response.headers.set("Cache-Control",
                       asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.set("Content-Security-Policy", std::string(kContentSecurityPolicy));
  response.headers.set("Vary", "Accept-Encoding");
  if (request.headers.get("if-none-match") == asset->etag) {
    response.status = 304;
    return response;
  }
  response.headers.set("Content-Type", std::string(asset->content_type));
  // Every browser of the last two decades takes gzip; who does not say so gets it all the same, and curl
  // --compressed shows it. Unpacking for others would need zlib for nobody.
  response.headers.set("Content-Encoding", "gzip");
  response.body = std::string(asset->gzip);
  return response;
}

}  // namespace hearthcast::api
