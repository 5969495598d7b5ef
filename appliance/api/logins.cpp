#include "appliance/api/logins.hpp"

#include <algorithm>
#include <array>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::api {
namespace {

std::string_view cookie_name(http::Transport transport) {
  return transport == http::Transport::kHttps ? "__Host-hearthcast" : "hearthcast-lan";
}

std::string cookie(http::Transport transport, std::string_view value, std::string_view max_age) {
  return std::string(cookie_name(transport)) + "=" + std::string(value) +
         "; Path=/; HttpOnly; SameSite=Strict" + (transport == http::Transport::kHttps ? "; Secure" : "") +
         "; Max-Age=" + std::string(max_age);
}

// The value of our cookie in all Cookie headers of the request; the first one counts.
std::optional<std::string_view> token_of(const http::Request& request) {
  const std::string_view wanted = cookie_name(request.transport);
  std::string_view rest = request.headers.get("cookie");
  while (!rest.empty()) {
    const auto end = std::min(rest.find(';'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == wanted) {
      return pair.substr(equals + 1);
    }
  }
  return std::nullopt;
}

}  // namespace

std::string Logins::sign_in(http::Transport transport, Time now) {
  std::erase_if(sessions_, [&](const auto& entry) { return now >= entry.second.last_used + kIdleLimit; });
  if (sessions_.size() >= kMaxSessions) {
    sessions_.erase(
        std::ranges::min_element(sessions_, {}, [](const auto& entry) { return entry.second.last_used; }));
  }
  std::array<std::uint8_t, 32> secret{};
  random_.fill(secret);
  const std::string token = to_base64url(secret);
  sessions_[crypto_.sha256(as_bytes(token))] = {transport, now};
  return cookie(transport, token, std::to_string(std::chrono::seconds(kIdleLimit).count()));
}

std::string Logins::clear_cookie(http::Transport transport) { return cookie(transport, "", "0"); }

std::map<Sha256, Logins::Session>::iterator Logins::find(const http::Request& request) {
  const auto token = token_of(request);
  const auto at = token ? sessions_.find(crypto_.sha256(as_bytes(*token))) : sessions_.end();
  return at != sessions_.end() && at->second.transport == request.transport ? at : sessions_.end();
}

void Logins::sign_out(const http::Request& request) {
  if (const auto at = find(request); at != sessions_.end()) {
    sessions_.erase(at);
  }
}

void Logins::sign_out_others(const http::Request& request) {
  const auto own = find(request);
  const auto kept = own == sessions_.end() ? std::nullopt : std::optional(*own);
  sessions_.clear();
  if (kept) {
    sessions_.insert(*kept);
  }
}

bool Logins::shows_session(const http::Request& request) { return token_of(request).has_value(); }

bool Logins::is_signed_in(const http::Request& request, Time now, bool use) {
  const auto at = find(request);
  if (at == sessions_.end()) {
    return false;
  }
  if (now >= at->second.last_used + kIdleLimit) {
    sessions_.erase(at);
    return false;
  }
  if (use) {
    at->second.last_used = now;
  }
  return true;
}

std::chrono::seconds Logins::expires_in(const http::Request& request, Time now) {
  const auto at = find(request);
  return at == sessions_.end()
             ? std::chrono::seconds{0}
             : std::chrono::duration_cast<std::chrono::seconds>(at->second.last_used + kIdleLimit - now);
}

std::vector<store::Login> Logins::keep(Time now) {
  kept_ = now;
  std::vector<store::Login> kept;
  for (const auto& [token, session] : sessions_) {
    const auto idle = std::chrono::duration_cast<std::chrono::seconds>(now - session.last_used);
    kept.push_back({token, session.transport == http::Transport::kHttps, idle});
  }
  return kept;
}

void Logins::restore(const std::vector<store::Login>& kept, Time now) {
  kept_ = now;
  for (const store::Login& login : kept) {
    sessions_[login.token] = {login.https ? http::Transport::kHttps : http::Transport::kHttp,
                              now - login.idle};
  }
}

}  // namespace hearthcast::api
