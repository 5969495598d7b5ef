#include "rendezvous-server/introduce/quiet_boxes.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::rendezvous {
namespace {

constexpr Duration kRto = std::chrono::milliseconds{500};  // doubles

}  // namespace

void QuietBoxes::add(const Session& box, Time now) {
  if (!box.mapping || now - box.heard >= kPatience) {
    return;
  }
  remove(box.identity);
  const Time review = box.heard + kPatience;
  boxes_[box.identity] = {box.presence_username, box.presence_password, *box.mapping, box.heard, review};
  usernames_[box.presence_username] = box.identity;
  reviews_.emplace(review, box.identity);
}

void QuietBoxes::remove(const IdentityId& box) {
  const auto at = boxes_.find(box);
  if (at == boxes_.end()) {
    return;
  }
  usernames_.erase(at->second.username);
  boxes_.erase(at);
  std::erase_if(knocks_, [&](const auto& entry) { return entry.second.box == box; });
}

const std::string* QuietBoxes::password(const std::string& username) const {
  const auto at = usernames_.find(username);
  return at == usernames_.end() ? nullptr : &boxes_.at(at->second).password;
}

bool QuietBoxes::on_presence(const std::string& username, const Endpoint& from, Time now) {
  const auto at = usernames_.find(username);
  if (at == usernames_.end()) {
    return false;
  }
  Box& box = boxes_.at(at->second);
  box.mapping = from;
  box.heard = now;
  return true;
}

const Endpoint* QuietBoxes::mapping(const IdentityId& box) const {
  const auto at = boxes_.find(box);
  return at == boxes_.end() ? nullptr : &at->second.mapping;
}

SendDatagram QuietBoxes::knock(const IdentityId& box, const IdentityId& device, std::vector<Endpoint> at,
                               Time now) {
  std::erase_if(knocks_,
                [&](const auto& entry) { return entry.second.box == box && entry.second.device == device; });
  const Box& here = boxes_.at(box);
  wire::StunMessage message;
  random_.fill(message.transaction);
  message.username = here.username;
  message.xor_peer_addresses = std::move(at);
  message.data = Buffer(device.digest.begin(), device.digest.end());
  Knock& knock = knocks_[message.transaction];
  knock = {box, device, wire::encode_stun(message, crypto_, as_bytes(here.password)), 1, now + kRto};
  return {here.mapping, knock.datagram};
}

bool QuietBoxes::on_answer(Bytes datagram) {
  if (knocks_.empty() || !wire::is_stun(datagram)) {
    return false;
  }
  const auto message = wire::decode_stun(datagram);
  const auto at = message && message->message_class == wire::StunClass::kSuccess
                      ? knocks_.find(message->transaction)
                      : knocks_.end();
  if (at == knocks_.end() ||
      !wire::check_integrity(datagram, crypto_, as_bytes(boxes_.at(at->second.box).password))) {
    return false;
  }
  knocks_.erase(at);
  return true;
}

std::vector<SendDatagram> QuietBoxes::on_deadline(Time now) {
  while (!reviews_.empty() && reviews_.begin()->first <= now) {
    const auto [review, id] = *reviews_.begin();
    reviews_.erase(reviews_.begin());
    const auto at = boxes_.find(id);
    if (at == boxes_.end() || at->second.review != review) {
      continue;
    }
    if (now - at->second.heard >= kPatience) {
      remove(id);
    } else {
      at->second.review = at->second.heard + kPatience;
      reviews_.emplace(at->second.review, id);
    }
  }
  std::vector<SendDatagram> again;
  for (auto at = knocks_.begin(); at != knocks_.end();) {
    Knock& knock = at->second;
    if (knock.next > now) {
      ++at;
    } else if (knock.tries == kTries) {
      at = knocks_.erase(at);
    } else {
      again.push_back({boxes_.at(knock.box).mapping, knock.datagram});
      knock.next = now + kRto * (1 << knock.tries++);
      ++at;
    }
  }
  return again;
}

Time QuietBoxes::next_deadline() const {
  Time next = reviews_.empty() ? kNever : reviews_.begin()->first;
  for (const auto& [id, knock] : knocks_) {
    next = std::min(next, knock.next);
  }
  return next;
}

}  // namespace hearthcast::rendezvous
