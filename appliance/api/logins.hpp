// Who is signed in to the web page: random tokens in cookies, kept only as hashes. A token given over HTTPS
// is worth nothing over HTTP, nor the reverse.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "appliance/store/login_table.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/http/message.hpp"

namespace hearthcast::api {

class Logins {
 public:
  static constexpr std::chrono::hours kIdleLimit{30 * 24};
  static constexpr std::size_t kMaxSessions = 200;  // the one idle longest makes room
  static constexpr std::chrono::hours kKeepInterval{1};

  Logins(const Crypto& crypto, Random& random) : crypto_(crypto), random_(random) {}

  // The value of the Set-Cookie header for a new session.
  [[nodiscard]] std::string sign_in(http::Transport transport, Time now);
  // The value that takes the cookie away.
  [[nodiscard]] static std::string clear_cookie(http::Transport transport);
  void sign_out(const http::Request& request);
  void sign_out_others(const http::Request& request);

  // Whether the request shows the token of a session, good or not. Any thread.
  [[nodiscard]] static bool shows_session(const http::Request& request);
  // Whether the request carries a session of its transport. `use` counts as using it.
  [[nodiscard]] bool is_signed_in(const http::Request& request, Time now, bool use = true);
  [[nodiscard]] std::chrono::seconds expires_in(const http::Request& request, Time now);

  // For the store, after each change and when is_due(): so that a restart signs nobody out.
  [[nodiscard]] std::vector<store::Login> keep(Time now);
  // How long each was idle is worth keeping from time to time, not at every request.
  [[nodiscard]] bool is_due(Time now) const { return now >= kept_ + kKeepInterval; }
  // Before anybody signs in.
  void restore(const std::vector<store::Login>& kept, Time now);

 private:
  struct Session {
    http::Transport transport = http::Transport::kHttps;
    Time last_used{};
  };
  [[nodiscard]] std::map<Sha256, Session>::iterator find(const http::Request& request);

  const Crypto& crypto_;
  Random& random_;
  Time kept_{};
  std::map<Sha256, Session> sessions_;  // by the hash of the token, so that a lookup's time tells nothing
};

}  // namespace hearthcast::api
