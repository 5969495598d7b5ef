// Who is connected now: sessions by number, boxes and devices by identity, pairing windows by locator, UDP
// presence by username. Soft state: a restart forgets it, and the clients' hellos rebuild it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/signalling/message.hpp"

namespace hearthcast::rendezvous {

struct SessionId {
  std::uint64_t value = 0;
  friend auto operator<=>(const SessionId&, const SessionId&) = default;
};

struct Session {
  SessionId id;
  signalling::Role role = signalling::Role::kBox;
  IdentityId identity;
  Buffer public_key;
  Endpoint control;  // as the TCP connection shows it
  std::string presence_username;
  std::string presence_password;
  std::optional<Endpoint> mapping;  // of its data socket, by authenticated UDP presence
  Time heard{};                     // the last of that
  std::string locator;              // of its open pairing window; empty: found by identity only
  Time window_until{};              // a pairing window is open until then
  Time renewal = kNever;            // when it is given credentials for relays again; Registry::set_renewal()
};

class Registry {
 public:
  // Adds a session; the one of the same identity and role that it replaces, if any, is removed and returned.
  std::optional<SessionId> join(Session session);
  void leave(SessionId id);

  [[nodiscard]] Session* find(SessionId id);
  [[nodiscard]] std::optional<SessionId> first() const {  // the one that is here the longest
    return sessions_.empty() ? std::nullopt : std::optional(sessions_.begin()->first);
  }
  [[nodiscard]] Session* find_box(const IdentityId& identity);
  [[nodiscard]] const Session* find_device(const IdentityId& identity) const;
  [[nodiscard]] bool has_box(const IdentityId& identity) const { return boxes_.contains(identity); }
  [[nodiscard]] Session* find_by_username(const std::string& username);

  // False when another box holds that locator.
  bool open_window(Session& box, std::string locator, Time until, Time now);
  void close_window(Session& box);
  [[nodiscard]] Session* find_by_locator(const std::string& locator, Time now);

  void set_renewal(Session& session, Time at);
  // Of all who are here, the one that is due first.
  [[nodiscard]] std::optional<std::pair<Time, SessionId>> next_renewal() const {
    return renewals_.empty() ? std::nullopt : std::optional(*renewals_.begin());
  }

  [[nodiscard]] std::size_t boxes() const { return boxes_.size(); }
  [[nodiscard]] std::size_t devices() const { return devices_.size(); }

 private:
  std::map<SessionId, Session> sessions_;
  std::unordered_map<IdentityId, SessionId> boxes_;
  std::unordered_map<IdentityId, SessionId> devices_;
  std::unordered_map<std::string, SessionId> usernames_;
  std::unordered_map<std::string, SessionId> locators_;
  std::set<std::pair<Time, SessionId>> renewals_;
};

}  // namespace hearthcast::rendezvous
