#include "rendezvous-server/registry/directory.hpp"

#include <algorithm>

#include "tunnelmgr/signalling/pairing.hpp"

namespace hearthcast::rendezvous {
namespace {

constexpr std::size_t kLeastDigits = 6;
constexpr std::size_t kMostReason = 200;  // octets

std::string short_id(const IdentityId& box) { return box.to_string().substr(0, 12); }

Failure unknown(const IdentityId& box) {
  return Failure{"no box " + short_id(box) +
                 " is enrolled here; `hearthcast-rendezvous box list` shows them"};
}

Change of(const BoxRecord& box) { return {.boxes = {box}}; }

}  // namespace

void Directory::load(const Change& records) {
  for (const BoxRecord& box : records.boxes) {
    boxes_[box.box] = box;
  }
  for (const OwnerRecord& owner : records.owners) {
    owners_[owner.id] = owner;
    last_owner_ = std::max(last_owner_, owner.id.value);
  }
  for (const TokenRecord& token : records.tokens) {
    tokens_[token.id] = token;
    last_token_ = std::max(last_token_, token.id.value);
  }
}

const BoxRecord* Directory::find(const IdentityId& box) const {
  const auto at = boxes_.find(box);
  return at == boxes_.end() ? nullptr : &at->second;
}

const OwnerRecord* Directory::find(OwnerId owner) const {
  const auto at = owners_.find(owner);
  return at == owners_.end() ? nullptr : &at->second;
}

std::size_t Directory::closed() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(boxes_, [](const auto& entry) { return entry.second.closed.has_value(); }));
}

Result<IdentityId, Failure> Directory::box_called(std::string_view text) const {
  if (const auto whole = IdentityId::parse(text)) {
    return *whole;
  }
  const BoxRecord* found = nullptr;
  for (const auto& [id, record] : boxes_) {
    const bool called = !text.empty() && record.name == text;
    if (called || (text.size() >= kLeastDigits && id.to_string().starts_with(text))) {
      if (found != nullptr) {
        return Failure{"more than one box is called " + std::string(text) + "; give more digits of its id"};
      }
      found = &record;
    }
  }
  if (found == nullptr) {
    return Failure{
        "no box is called " + std::string(text) +
        "; give its name or at least six digits of its id, as `hearthcast-rendezvous box list` shows them"};
  }
  return found->box;
}

Result<OwnerId, Failure> Directory::owner_called(std::string_view name) const {
  const auto at = std::ranges::find_if(owners_, [&](const auto& entry) { return entry.second.name == name; });
  if (at == owners_.end()) {
    return Failure{"no owner is called " + std::string(name) +
                   "; `hearthcast-rendezvous owner list` shows them, `owner add` makes one"};
  }
  return at->first;
}

Change Directory::enrol(const IdentityId& box, std::int64_t now) {
  return of(boxes_[box] = BoxRecord{box, now, "", std::nullopt, std::nullopt});
}

Result<Change, Failure> Directory::enrol(const IdentityId& box, const Sha256& hash, std::int64_t now) {
  const auto at = std::ranges::find_if(
      tokens_, [&](const auto& entry) { return Crypto::equal(entry.second.hash, hash); });
  if (at == tokens_.end()) {
    return Failure{"the enrolment token is not known here, or was revoked"};
  }
  TokenRecord& token = at->second;
  if (token.uses_left == 0) {
    return Failure{"the enrolment token is used up"};
  }
  if (token.expires_at && (now >= *token.expires_at || now < token.created_at)) {
    return Failure{
        now < token.created_at
            ? "the rendezvous' clock is wrong: it cannot tell whether the enrolment token has expired"
            : "the enrolment token has expired"};
  }
  if (token.uses_left) {
    --*token.uses_left;
  }
  Change change = enrol(box, now);
  boxes_[box].owner = token.owner;
  change.boxes.front().owner = token.owner;
  change.tokens.push_back(token);
  return change;
}

Result<Change, Failure> Directory::name_box(const IdentityId& box, std::string name) {
  const auto at = boxes_.find(box);
  if (at == boxes_.end()) {
    return unknown(box);
  }
  if (!name.empty() && !signalling::is_device_name(name)) {
    return Failure{"a box's name has 1 to 64 characters, none of them a control character"};
  }
  const bool taken = !name.empty() && std::ranges::any_of(boxes_, [&](const auto& entry) {
    return entry.first != box && entry.second.name == name;
  });
  if (taken) {
    return Failure{"another box is called " + name + " already"};
  }
  at->second.name = std::move(name);
  return of(at->second);
}

Result<Change, Failure> Directory::move_box(const IdentityId& box, std::optional<OwnerId> owner) {
  const auto at = boxes_.find(box);
  if (at == boxes_.end()) {
    return unknown(box);
  }
  at->second.owner = owner;
  return of(at->second);
}

Result<Change, Failure> Directory::close_box(const IdentityId& box, std::string reason, std::int64_t now) {
  const bool printable =
      std::ranges::none_of(reason, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
  if (reason.empty() || reason.size() > kMostReason || !printable) {
    return Failure{"say why in 1 to 200 characters: the box's owner is told"};
  }
  BoxRecord& record =
      boxes_.try_emplace(box, BoxRecord{box, now, "", std::nullopt, std::nullopt}).first->second;
  record.closed = std::move(reason);
  return of(record);
}

Result<Change, Failure> Directory::open_box(const IdentityId& box) {
  const auto at = boxes_.find(box);
  if (at == boxes_.end()) {
    return unknown(box);
  }
  at->second.closed.reset();
  return of(at->second);
}

Result<Change, Failure> Directory::forget_box(const IdentityId& box) {
  if (boxes_.erase(box) == 0) {
    return unknown(box);
  }
  return Change{.boxes_gone = {box}};
}

Result<Change, Failure> Directory::add_owner(std::string name, std::int64_t now) {
  if (!signalling::is_device_name(name)) {
    return Failure{"an owner's name has 1 to 64 characters, none of them a control character"};
  }
  if (owner_called(name)) {
    return Failure{"there is an owner of the name " + name + " already"};
  }
  const OwnerId id{++last_owner_};
  owners_[id] = {id, std::move(name), now};
  return Change{.owners = {owners_[id]}};
}

Result<Change, Failure> Directory::remove_owner(OwnerId owner) {
  if (owners_.erase(owner) == 0) {
    return Failure{"there is no such owner"};
  }
  Change change{.owners_gone = {owner}};
  for (auto& [id, box] : boxes_) {
    if (box.owner == owner) {
      box.owner.reset();
      change.boxes.push_back(box);
    }
  }
  for (auto& [id, token] : tokens_) {
    if (token.owner == owner) {
      token.owner.reset();
      change.tokens.push_back(token);
    }
  }
  return change;
}

Result<Change, Failure> Directory::add_token(TokenRecord token) {
  if (!token.note.empty() && !signalling::is_device_name(token.note)) {
    return Failure{"a token's note has 1 to 64 characters, none of them a control character"};
  }
  if (token.expires_at && *token.expires_at <= token.created_at) {
    return Failure{"the token would have expired already"};
  }
  if (token.uses_left && *token.uses_left < 1) {
    return Failure{"the token needs at least one use"};
  }
  token.id = {++last_token_};
  tokens_[token.id] = token;
  return Change{.tokens = {std::move(token)}};
}

Result<Change, Failure> Directory::revoke_token(TokenId token) {
  if (tokens_.erase(token) == 0) {
    return Failure{"there is no token " + std::to_string(token.value) +
                   "; `hearthcast-rendezvous token list` shows them"};
  }
  return Change{.tokens_gone = {token}};
}

}  // namespace hearthcast::rendezvous
