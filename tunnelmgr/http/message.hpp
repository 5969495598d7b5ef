// HTTP requests and responses as values, for handlers and clients; nothing here knows Beast.
// Header names compare without regard to case. All text is as it came: handlers check what they use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::http {

enum class Transport { kHttp, kHttps, kUnix };

class Headers {
 public:
  using Entry = std::pair<std::string, std::string>;
  Headers() = default;
  Headers(std::initializer_list<Entry> entries) : entries_(entries) {}

  void add(std::string name, std::string value);                    // keeps others of that name (Set-Cookie)
  void set(std::string_view name, std::string value);               // replaces all others of that name
  [[nodiscard]] std::string_view get(std::string_view name) const;  // the first; empty when absent
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

struct Request {
  std::string method;                                      // upper case: "GET"
  std::string target;                                      // as sent: path and query
  std::string path;                                        // percent-decoded, always starts with '/'
  std::vector<std::pair<std::string, std::string>> query;  // percent-decoded, in order
  Headers headers;
  std::string body;
  Endpoint peer;  // unspecified on a Unix socket
  Transport transport = Transport::kHttp;
  std::uint64_t connection = 0;  // the same for all requests of one connection, never reused

  [[nodiscard]] std::optional<std::string> query_value(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;

  [[nodiscard]] static Response text(int status, std::string body);  // text/plain; charset=utf-8
  [[nodiscard]] static Response json(int status, std::string body);  // application/json
};

// Fills path and query from target. False: not an origin-form target, or broken percent-encoding (answer
// 400).
[[nodiscard]] bool split_target(Request& request);
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// An absolute URL of the schemes that a client here speaks. Only what those need: no user, no fragment.
struct Url {
  std::string scheme;  // lower case: http, https, ws, wss
  std::string host;    // without brackets
  std::uint16_t port = 0;
  std::string target = "/";  // path and query

  [[nodiscard]] bool is_tls() const { return scheme == "https" || scheme == "wss"; }
  [[nodiscard]] std::string authority() const;  // the Host header: brackets for IPv6, no default port
  [[nodiscard]] static std::optional<Url> parse(std::string_view text);
};

}  // namespace hearthcast::http
