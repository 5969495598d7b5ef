#include "tunnelmgr/signalling/client.hpp"

#include <algorithm>

namespace hearthcast::signalling {
namespace {

// Full jitter: anything between nothing and the limit, so that a fleet does not come back in step.
Duration jittered(Random& random, Duration limit) {
  std::array<std::uint8_t, 4> octets{};
  random.fill(octets);
  Reader r(octets);
  return limit / 65536 * (r.u32() >> 16);
}

}  // namespace

Client::Client(Role role, const Identity& identity, Random& random, std::string software, Time now,
               ClientTiming timing)
    : role_(role),
      identity_(identity),
      random_(random),
      software_(std::move(software)),
      timing_(timing),
      deadline_(now),
      backoff_(timing.backoff_floor) {}

void Client::send(const Message& message, ClientActions& out) const {
  out.push_back(SendText{encode(message)});
}

Time Client::next_deadline() const {
  Time next = deadline_;
  for (const auto& [id, deadline] : requests_) {
    next = std::min(next, deadline);
  }
  return next;
}

ClientActions Client::on_deadline(Time now) {
  ClientActions out;
  for (auto at = requests_.begin(); at != requests_.end();) {
    if (at->second <= now) {
      out.push_back(RequestFailed{at->first, std::nullopt, "no answer in time"});
      at = requests_.erase(at);
    } else {
      ++at;
    }
  }
  if (deadline_ > now) {
    return out;
  }
  if (state_ == State::kWaiting) {
    state_ = State::kConnecting;
    deadline_ = now + timing_.connect_timeout;
    greeted_ = false;
    out.push_back(Connect{});
    return out;
  }
  auto left = leave("the rendezvous did not answer in time", now, true);
  out.insert(out.end(), std::make_move_iterator(left.begin()), std::make_move_iterator(left.end()));
  return out;
}

ClientActions Client::on_connected(const Sha256& server_key, Time) {
  if (state_ == State::kConnecting) {
    state_ = State::kGreeting;
    server_key_ = server_key;
  }
  return {};
}

ClientActions Client::on_closed(std::string reason, Time now) {
  return state_ == State::kWaiting ? ClientActions{} : leave(std::move(reason), now, false);
}

ClientActions Client::on_network_change(Time now) {
  ClientActions out;
  if (state_ != State::kWaiting) {
    out = leave("the network changed", now, true);
  }
  if (!refused_) {
    backoff_ = timing_.backoff_floor;
    deadline_ = now;
  }
  return out;
}

ClientActions Client::leave(std::string reason, Time now, bool disconnect,
                            std::optional<Duration> stay_away) {
  ClientActions out;
  if (disconnect) {
    out.push_back(Disconnect{reason});
  }
  for (const auto& [id, deadline] : std::exchange(requests_, {})) {
    out.push_back(RequestFailed{id, std::nullopt, reason});
  }
  state_ = State::kWaiting;
  server_key_.reset();
  if (refused_) {
    deadline_ = now + timing_.refused_backoff;
  } else if (stay_away) {  // and not all at the same moment
    deadline_ = now + *stay_away + jittered(random_, *stay_away);
  } else {
    deadline_ = now + jittered(random_, backoff_);
    backoff_ = std::min(backoff_ * 2, timing_.backoff_ceiling);
  }
  last_error_ = reason;
  out.push_back(Left{std::move(reason), deadline_});
  return out;
}

ClientActions Client::on_text(std::string_view text, Time now) {
  ClientActions out;
  if (state_ != State::kGreeting && state_ != State::kJoined) {
    return out;
  }
  auto message = decode_message(text);
  if (!message) {
    bad_messages_ += message.error() == ParseError::kUnknownType ? 0 : 1;
    return out;
  }
  if (auto* challenge = std::get_if<Challenge>(&*message)) {
    handle(std::move(*challenge), out);
  } else if (auto* welcome = std::get_if<Welcome>(&*message)) {
    handle(std::move(*welcome), now, out);
  } else if (auto* error = std::get_if<Error>(&*message)) {
    handle(std::move(*error), now, out);
  } else if (state_ != State::kJoined || !take(*message, out)) {
    ++bad_messages_;
  }
  return out;
}

// What only a joined client is told; false for what nobody asked or what is not for this role.
bool Client::take(Message& message, ClientActions& out) {
  if (const auto* mapping = std::get_if<Mapping>(&message)) {
    out.push_back(MappingSeen{mapping->endpoint});
  } else if (auto* moved = std::get_if<Moved>(&message); moved != nullptr && role_ == Role::kDevice) {
    out.push_back(BoxMoved{moved->box, std::move(moved->endpoints)});
  } else if (auto* relays = std::get_if<RelayAccess>(&message)) {
    out.push_back(RelaysOffered{std::move(*relays)});
  } else if (auto* offer = std::get_if<IntroduceOffer>(&message); offer != nullptr && role_ == Role::kBox) {
    out.push_back(IntroductionAsked{std::move(*offer)});
  } else if (auto* asked = std::get_if<PairOffer>(&message); asked != nullptr && role_ == Role::kBox) {
    out.push_back(PairingAsked{std::move(*asked)});
  } else if (auto* answer = std::get_if<IntroduceAnswer>(&message); answer != nullptr && finish(answer->id)) {
    out.push_back(IntroductionAnswered{
        answer->id, {std::move(answer->payload), std::move(answer->signature)}, std::move(answer->observed)});
  } else if (auto* refusal = std::get_if<IntroduceRefusal>(&message);
             refusal != nullptr && finish(refusal->id)) {
    out.push_back(
        IntroductionAnswered{refusal->id, {std::move(refusal->payload), std::move(refusal->signature)}, {}});
  } else if (auto* paired = std::get_if<PairAnswer>(&message); paired != nullptr && finish(paired->id)) {
    out.push_back(PairingAnswered{paired->id, std::move(paired->payload)});
  } else {
    return false;
  }
  return true;
}

void Client::handle(Challenge&& message, ClientActions& out) {
  if (state_ != State::kGreeting ||
      greeted_) {  // one proof a connection: a server must not collect signatures
    ++bad_messages_;
    return;
  }
  greeted_ = true;
  Hello hello;
  hello.role = role_;
  hello.public_key.assign(identity_.public_key().begin(), identity_.public_key().end());
  hello.signature = identity_.sign(hello_signature_input(message.nonce, *server_key_));
  hello.software = software_;
  hello.enrolment = enrolment_;
  send(hello, out);
}

void Client::handle(Welcome&& message, Time now, ClientActions& out) {
  if (state_ != State::kGreeting || !greeted_) {
    ++bad_messages_;
    return;
  }
  state_ = State::kJoined;
  deadline_ = kNever;
  backoff_ = timing_.backoff_floor;
  refused_.reset();
  last_error_.clear();
  out.push_back(Joined{std::move(message.presence), message.observed});
  say_state(now, out);
}

void Client::say_state(Time now, ClientActions& out) {
  if (allowed_) {
    send(*allowed_, out);
  }
  if (window_ && window_until_ > now) {
    window_->seconds =
        static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(window_until_ - now).count());
    send(*window_, out);
  }
}

void Client::handle(Error&& message, Time now, ClientActions& out) {
  if (message.id) {
    if (finish(*message.id)) {
      out.push_back(RequestFailed{*message.id, message.code, std::move(message.text)});
    }
    return;
  }
  if (message.revision && role_ == Role::kBox && state_ == State::kJoined) {
    out.push_back(ListOutdated{*message.revision});
    return;
  }
  const bool refused = message.code == ErrorCode::kReplaced || message.code == ErrorCode::kNotEnrolled ||
                       message.code == ErrorCode::kClosed;
  refused_ = refused ? std::optional(message.code) : std::nullopt;
  const auto stay_away = message.code == ErrorCode::kDraining
                             ? std::optional<Duration>(std::chrono::seconds{message.retry_s.value_or(0)})
                             : std::nullopt;
  const bool fatal = refused || stay_away || state_ == State::kGreeting;
  last_error_ = message.text.empty() ? std::string(to_string(message.code)) : message.text;
  if (fatal) {
    auto left = leave(last_error_, now, true, stay_away);
    out.insert(out.end(), std::make_move_iterator(left.begin()), std::make_move_iterator(left.end()));
  }
}

bool Client::finish(std::uint64_t id) { return requests_.erase(id) > 0; }

std::uint64_t Client::new_request(Time now) {
  const std::uint64_t id = next_request_++;
  requests_[id] = now + timing_.request_timeout;
  return id;
}

ClientActions Client::set_allowed(std::vector<IdentityId> devices, std::uint64_t revision) {
  ClientActions out;
  Allow allow{std::move(devices), revision, {}};
  allow.devices.resize(std::min(allow.devices.size(), kMaxAllowed));
  allow.signature = identity_.sign(allow_signature_input(allow));
  allowed_ = std::move(allow);
  if (state_ == State::kJoined) {
    send(*allowed_, out);
  }
  return out;
}

ClientActions Client::tell_moved(std::vector<Endpoint> endpoints) {
  ClientActions out;
  endpoints.resize(std::min(endpoints.size(), kMaxMoved));
  if (state_ == State::kJoined && !endpoints.empty()) {
    send(Moved{identity_.id(), std::move(endpoints)}, out);
  }
  return out;
}

ClientActions Client::open_pairing(std::string locator, Time until, Time now) {
  ClientActions out;
  window_ = PairingWindow{std::move(locator), 0};
  window_until_ = until;
  if (state_ == State::kJoined && until > now) {
    window_->seconds =
        static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(until - now).count());
    send(*window_, out);
  }
  return out;
}

ClientActions Client::close_pairing() {
  ClientActions out;
  if (std::exchange(window_, std::nullopt) && state_ == State::kJoined) {
    send(PairingWindow{}, out);
  }
  return out;
}

ClientActions Client::answer_introduction(std::uint64_t id, Sealed sealed) {
  ClientActions out;
  if (state_ == State::kJoined) {
    send(IntroduceAnswer{id, std::move(sealed.payload), std::move(sealed.signature), {}}, out);
  }
  return out;
}

ClientActions Client::refuse_introduction(std::uint64_t id, Sealed sealed) {
  ClientActions out;
  if (state_ == State::kJoined) {
    send(IntroduceRefusal{id, std::move(sealed.payload), std::move(sealed.signature)}, out);
  }
  return out;
}

ClientActions Client::answer_pairing(std::uint64_t id, std::string payload) {
  ClientActions out;
  if (state_ == State::kJoined) {
    send(PairAnswer{id, std::move(payload)}, out);
  }
  return out;
}

ClientActions Client::introduce(const IdentityId& box, Sealed sealed, std::vector<Endpoint> relayed, Time now,
                                std::uint64_t& id) {
  ClientActions out;
  id = new_request(now);
  if (state_ == State::kJoined) {
    send(
        IntroduceRequest{id, box, std::move(sealed.payload), std::move(sealed.signature), std::move(relayed)},
        out);
  } else {
    requests_.erase(id);
    out.push_back(RequestFailed{id, std::nullopt, "not connected to the rendezvous"});
  }
  return out;
}

ClientActions Client::pair(std::variant<IdentityId, std::string> to, std::string payload, Time now,
                           std::uint64_t& id) {
  ClientActions out;
  id = new_request(now);
  if (state_ == State::kJoined) {
    send(PairRequest{id, std::move(to), std::move(payload)}, out);
  } else {
    requests_.erase(id);
    out.push_back(RequestFailed{id, std::nullopt, "not connected to the rendezvous"});
  }
  return out;
}

}  // namespace hearthcast::signalling
