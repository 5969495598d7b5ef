#include "tunnelmgr/http/message.hpp"

#include <algorithm>
#include <charconv>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

void Headers::add(std::string name, std::string value) {
  entries_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string_view name, std::string value) {
  std::erase_if(entries_, [&](const Entry& entry) { return same_name(entry.first, name); });
  entries_.emplace_back(name, std::move(value));
}

std::string_view Headers::get(std::string_view name) const {
  const auto at = std::ranges::find_if(entries_, [&](const Entry& e) { return same_name(e.first, name); });
  return at == entries_.end() ? std::string_view{} : std::string_view(at->second);
}

bool Headers::has(std::string_view name) const {
  return std::ranges::any_of(entries_, [&](const Entry& e) { return same_name(e.first, name); });
}

std::optional<std::string> Request::query_value(std::string_view name) const {
  const auto at =
      std::ranges::find(query, name, [](const auto& entry) { return std::string_view(entry.first); });
  return at == query.end() ? std::nullopt : std::optional(at->second);
}

Response Response::text(int status, std::string body) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

Response Response::json(int status, std::string body) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const auto octet = i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
      if (!octet) {
        return std::nullopt;
      }
      out += static_cast<char>(octet->front());
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

bool split_target(Request& request) {
  const std::string_view target = request.target;
  if (target.empty() || target.front() != '/') {
    return false;
  }
  const auto mark = target.find('?');
  auto path = percent_decode(target.substr(0, mark), false);
  if (!path || path->find('\0') != std::string::npos) {
    return false;
  }
  request.path = std::move(*path);
  request.query.clear();
  std::string_view rest = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::optional<std::string>("")
                                                  : percent_decode(pair.substr(equals + 1), true);
    if (!name || !value) {
      return false;
    }
    if (!pair.empty()) {
      request.query.emplace_back(std::move(*name), std::move(*value));
    }
  }
  return true;
}

std::string Url::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (is_tls() ? 443 : 80)) {
    text += ":" + std::to_string(port);
  }
  return text;
}

std::optional<Url> Url::parse(std::string_view text) {
  Url url;
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  std::ranges::transform(text.substr(0, colon), std::back_inserter(url.scheme), lower);
  if (url.scheme != "http" && url.scheme != "https" && url.scheme != "ws" && url.scheme != "wss") {
    return std::nullopt;
  }
  text.remove_prefix(colon + 3);
  const auto slash = text.find_first_of("/?");
  std::string_view authority = text.substr(0, slash);
  if (slash != std::string_view::npos) {
    url.target = text[slash] == '/' ? std::string(text.substr(slash)) : "/" + std::string(text.substr(slash));
  }
  url.port = url.is_tls() ? 443 : 80;
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos || !IpAddress::parse(authority.substr(1, end - 1))) {
      return std::nullopt;
    }
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const auto end = authority.find(':');
    url.host = authority.substr(0, end);
    port = end == std::string_view::npos ? std::string_view{} : authority.substr(end);
  }
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), url.port);
    if (port.front() != ':' || error != std::errc{} || end != port.data() + port.size() || url.port == 0) {
      return std::nullopt;
    }
  }
  const bool clean =
      std::ranges::all_of(url.host, [](char c) { return c > ' ' && c < 127 && c != '@' && c != '#'; }) &&
      std::ranges::all_of(url.target, [](char c) { return c > ' ' && c < 127 && c != '#'; });
  return url.host.empty() || !clean ? std::nullopt : std::optional(url);
}

}  // namespace hearthcast::http
