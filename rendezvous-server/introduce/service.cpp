#include "rendezvous-server/introduce/service.hpp"

#include <algorithm>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::rendezvous {

using signalling::ErrorCode;

IpAddress source_prefix(const IpAddress& address) {
  if (address.is_ip4()) {
    return address;
  }
  std::array<std::uint8_t, 16> octets{};
  std::copy_n(address.bytes().begin(), 7, octets.begin());
  return IpAddress::from_bytes(octets).value_or(address);
}

Service::Service(const Crypto& crypto, Random& random, const Sha256& server_key, std::string software,
                 Policy policy)
    : crypto_(crypto),
      random_(random),
      server_key_(server_key),
      last_server_key_(server_key),
      software_(std::move(software)),
      policy_(std::move(policy)),
      quiet_(crypto, random),
      hellos_(policy_.hellos),
      new_boxes_(policy_.new_boxes),
      introductions_(policy_.introductions),
      box_load_(policy_.box_load),
      pairings_(policy_.pairings),
      moves_(policy_.moves),
      messages_(policy_.messages) {}

void Service::send(SessionId to, const signalling::Message& message, Actions& out) const {
  out.push_back(Send{to, signalling::encode(message)});
}

void Service::refuse(SessionId to, std::optional<std::uint64_t> id, ErrorCode code, std::string text,
                     Actions& out) const {
  send(to, signalling::Error{id, code, std::move(text)}, out);
}

void Service::drop(SessionId id, ErrorCode code, std::string text, Actions& out,
                   std::optional<std::uint32_t> retry_s) {
  send(id, signalling::Error{std::nullopt, code, text, retry_s}, out);
  out.push_back(Close{id, std::move(text)});
  guests_.erase(id);
  registry_.leave(id);
}

std::string Service::random_text(std::size_t octets) {
  Buffer random(octets);
  random_.fill(random);
  return to_base64url(random);
}

Actions Service::on_open(SessionId id, const Endpoint& from, Time now) {
  Actions out;
  if (!hellos_.take(source_prefix(from.address), now)) {
    ++counters_.limited;
    refuse(id, std::nullopt, ErrorCode::kRate, "too many connections from this address; wait a minute", out);
    out.push_back(Close{id, "rate"});
    return out;
  }
  if (drain_) {
    send_away(id, out);
    return out;
  }
  Guest guest{{}, from, now + policy_.hello_timeout};
  random_.fill(guest.nonce);
  signalling::Challenge challenge;
  challenge.nonce = guest.nonce;
  challenge.software = software_;
  guests_[id] = guest;
  send(id, challenge, out);
  return out;
}

void Service::on_closed(SessionId id, Time now) {
  guests_.erase(id);
  if (const Session* const session = registry_.find(id);
      session != nullptr && session->role == signalling::Role::kBox) {
    quiet_.add(*session, now);
  }
  registry_.leave(id);
  // Requests in flight stay until their deadline: a box that left answers nothing, a device that left hears
  // nothing.
}

Actions Service::on_text(SessionId id, std::string_view text, Time now) {
  Actions out;
  const auto guest = guests_.find(id);
  Session* const session = registry_.find(id);
  if (guest == guests_.end() && session == nullptr) {
    return out;  // dropped a moment ago
  }
  if (!messages_.take(id, now)) {
    ++counters_.limited;
    drop(id, ErrorCode::kRate, "too many messages", out);
    return out;
  }
  auto message = signalling::decode_message(text);
  if (!message) {
    if (message.error() != ParseError::kUnknownType) {
      ++counters_.bad_messages;
      drop(id, ErrorCode::kBadMessage, "a message was malformed", out);
    }
    return out;
  }
  if (guest != guests_.end()) {
    handle(id, Guest(guest->second), *message, now, out);
  } else {
    dispatch(*session, std::move(*message), now, out);
  }
  return out;
}

void Service::handle(SessionId id, const Guest& guest, const signalling::Message& message, Time now,
                     Actions& out) {
  const auto* hello = std::get_if<signalling::Hello>(&message);
  if (hello == nullptr) {
    ++counters_.bad_messages;
    drop(id, ErrorCode::kBadMessage, "say hello first", out);
    return;
  }
  if (!is_proven(*hello, guest)) {
    ++counters_.bad_hellos;
    drop(id, ErrorCode::kBadSignature, "the signature of hello is wrong", out);
    return;
  }
  if (hello->role == signalling::Role::kBox && !admit(id, *hello, guest, now, out)) {
    return;
  }
  ++counters_.hellos;
  Session session;
  session.id = id;
  session.role = hello->role;
  session.identity.digest = crypto_.sha256(hello->public_key);
  session.public_key = hello->public_key;
  session.control = guest.from;
  session.presence_username = random_text(9);
  session.presence_password = random_text(18);
  const signalling::Welcome welcome{{session.presence_username, session.presence_password,
                                     policy_.presence_port, policy_.presence_interval_s},
                                    guest.from};
  guests_.erase(id);
  quiet_.remove(session.identity);
  if (const auto replaced = registry_.join(std::move(session))) {
    refuse(*replaced, std::nullopt, ErrorCode::kReplaced,
           "another program with the same identity has connected; if that is not this one restarted, one of "
           "them is "
           "a copy and needs an identity of its own",
           out);
    out.push_back(Close{*replaced, "replaced"});
  }
  send(id, welcome, out);
  give_relays(*registry_.find(id), now, out);
}

// Long before the ones given last have ended: a rendezvous that is away then for a day harms no stream.
void Service::give_relays(Session& session, Time now, Actions& out) {
  if (!policy_.relay.urls.empty()) {
    send(session.id, relay_access(crypto_, policy_.relay, session.identity, policy_.unix_time()), out);
    registry_.set_renewal(session, now + policy_.relay.lifetime / 4);
  }
}

void Service::dispatch(Session& session, signalling::Message&& message, Time now, Actions& out) {
  const bool is_box = session.role == signalling::Role::kBox;
  std::visit(
      [&](auto& m) {
        using T = std::decay_t<decltype(m)>;
        using namespace signalling;
        if constexpr (std::is_same_v<T, Allow> || std::is_same_v<T, PairingWindow> ||
                      std::is_same_v<T, Moved>) {
          if (is_box) {
            return handle(session, std::move(m), now, out);
          }
        } else if constexpr (std::is_same_v<T, IntroduceAnswer> || std::is_same_v<T, IntroduceRefusal> ||
                             std::is_same_v<T, PairAnswer>) {
          if (is_box) {
            return handle(session, std::move(m), out);
          }
        } else if constexpr (std::is_same_v<T, IntroduceRequest> || std::is_same_v<T, PairRequest>) {
          if (!is_box) {
            return handle(session, std::move(m), now, out);
          }
        }
        ++counters_.bad_messages;
        drop(session.id, ErrorCode::kBadMessage, "that message is not for this role", out);
      },
      message);
}

const std::string* Service::presence_password(const std::string& username) {
  const Session* const session = registry_.find_by_username(username);
  return session == nullptr ? quiet_.password(username) : &session->presence_password;
}

Actions Service::on_presence(const std::string& username, const Endpoint& from, Time now) {
  Actions out;
  Session* const session = registry_.find_by_username(username);
  if (session == nullptr) {
    (void)quiet_.on_presence(username, from, now);
    return out;
  }
  session->heard = now;
  if (session->mapping != from) {
    session->mapping = from;
    send(session->id, signalling::Mapping{from}, out);
    if (session->role == signalling::Role::kBox) {
      tell_devices(*session, {from}, now, out);
    }
  }
  return out;
}

// The first two are in the order of their deadlines: numbers grow, and each has one time limit.
Actions Service::on_deadline(Time now) {
  Actions out;
  while (!guests_.empty() && guests_.begin()->second.deadline <= now) {
    out.push_back(Close{guests_.begin()->first, "no hello"});
    guests_.erase(guests_.begin());
  }
  while (!requests_.empty() && requests_.begin()->second.deadline <= now) {
    const Request& request = requests_.begin()->second;
    if (registry_.find(request.device) != nullptr) {
      refuse(request.device, request.device_id, ErrorCode::kNotPresent, "the box did not answer", out);
    }
    requests_.erase(requests_.begin());
  }
  for (auto due = registry_.next_renewal(); due && due->first <= now; due = registry_.next_renewal()) {
    give_relays(*registry_.find(due->second), now, out);
  }
  for (SendDatagram& datagram : quiet_.on_deadline(now)) {
    out.emplace_back(std::move(datagram));
  }
  while (drain_ && drain_->next <= now && registry_.first()) {
    send_away(*registry_.first(), out);
    drain_->next += drain_->step;
  }
  return out;
}

Time Service::next_deadline() const {
  return std::min({guests_.empty() ? kNever : guests_.begin()->second.deadline,
                   requests_.empty() ? kNever : requests_.begin()->second.deadline,
                   registry_.next_renewal().value_or(std::pair(kNever, SessionId{})).first,
                   quiet_.next_deadline(), drain_ && registry_.first() ? drain_->next : kNever});
}

}  // namespace hearthcast::rendezvous
