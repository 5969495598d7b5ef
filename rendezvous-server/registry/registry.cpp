#include "rendezvous-server/registry/registry.hpp"

namespace hearthcast::rendezvous {

std::optional<SessionId> Registry::join(Session session) {
  auto& peers = session.role == signalling::Role::kBox ? boxes_ : devices_;
  std::optional<SessionId> replaced;
  if (const auto old = peers.find(session.identity); old != peers.end()) {
    replaced = old->second;
    leave(*replaced);
  }
  const SessionId id = session.id;
  peers[session.identity] = id;
  usernames_[session.presence_username] = id;
  sessions_.insert_or_assign(id, std::move(session));
  return replaced;
}

void Registry::leave(SessionId id) {
  const auto at = sessions_.find(id);
  if (at == sessions_.end()) {
    return;
  }
  close_window(at->second);
  set_renewal(at->second, kNever);
  usernames_.erase(at->second.presence_username);
  (at->second.role == signalling::Role::kBox ? boxes_ : devices_).erase(at->second.identity);
  sessions_.erase(at);
}

Session* Registry::find(SessionId id) {
  const auto at = sessions_.find(id);
  return at == sessions_.end() ? nullptr : &at->second;
}

Session* Registry::find_box(const IdentityId& identity) {
  const auto at = boxes_.find(identity);
  return at == boxes_.end() ? nullptr : find(at->second);
}

const Session* Registry::find_device(const IdentityId& identity) const {
  const auto at = devices_.find(identity);
  return at == devices_.end() ? nullptr : &sessions_.at(at->second);
}

Session* Registry::find_by_username(const std::string& username) {
  const auto at = usernames_.find(username);
  return at == usernames_.end() ? nullptr : find(at->second);
}

bool Registry::open_window(Session& box, std::string locator, Time until, Time now) {
  if (!locator.empty()) {
    const Session* holder = find_by_locator(locator, now);
    if (holder != nullptr && holder != &box) {
      return false;
    }
  }
  close_window(box);
  if (!locator.empty()) {
    locators_[locator] = box.id;
  }
  box.locator = std::move(locator);
  box.window_until = until;
  return true;
}

void Registry::close_window(Session& box) {
  if (const auto at = locators_.find(box.locator); at != locators_.end() && at->second == box.id) {
    locators_.erase(at);
  }
  box.locator.clear();
  box.window_until = {};
}

void Registry::set_renewal(Session& session, Time at) {
  renewals_.erase({session.renewal, session.id});
  session.renewal = at;
  if (at != kNever) {
    renewals_.emplace(at, session.id);
  }
}

Session* Registry::find_by_locator(const std::string& locator, Time now) {
  const auto at = locators_.find(locator);
  Session* const box = at == locators_.end() ? nullptr : find(at->second);
  return box != nullptr && box->window_until > now ? box : nullptr;
}

}  // namespace hearthcast::rendezvous
