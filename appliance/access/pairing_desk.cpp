#include "appliance/access/pairing_desk.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::access {

using signalling::PairingRefusal;
using signalling::PairingRefusalCode;
using signalling::PairingRequest;

namespace {

// As many as a link or an answer may hold: a device refuses a longer list.
std::vector<Endpoint> likeliest(std::vector<Endpoint> addresses) {
  addresses.resize(std::min(addresses.size(), signalling::kMaxLinkAddresses));
  return addresses;
}

}  // namespace

PairingDesk::PairingDesk(const Crypto& crypto, Random& random, const Identity& box)
    : crypto_(crypto), random_(random), box_(box) {}

Result<PairingDesk::Window, Failure> PairingDesk::open(const BoxCard& card, Time now) {
  on_deadline(now);
  while (!opened_.empty() && opened_.front() + std::chrono::hours{1} <= now) {
    opened_.pop_front();
  }
  if (opened_.size() >= kPairingWindowsPerHour) {
    return Failure{"Too many pairing windows were opened within an hour. Wait a little, then try again."};
  }
  if (is_open()) {
    end(State::kClosed);
  }
  signalling::PairingLink link;
  link.box = box_.id();
  random_.fill(link.secret);
  link.rendezvous = card.rendezvous;
  link.addresses = likeliest(card.addresses);
  signalling::PairingCode code;
  std::array<std::uint8_t, 3> locator{};
  random_.fill(locator);
  code.locator = to_crockford(locator, signalling::kLocatorSymbols);
  random_.fill(code.secret);

  invitation_ = {signalling::encode_link(link), signalling::encode_code(code), code.locator};
  link_key_ = signalling::pairing_key(crypto_, link.secret);
  code_key_ = signalling::pairing_key(crypto_, code.secret);
  settled_request_.reset();
  settled_.reset();
  opened_.push_back(now);
  window_ = Window{++last_id_, State::kOpen, now + kPairingWindow, kPairingTries, std::nullopt};
  return *window_;
}

void PairingDesk::end(State state) {
  window_->state = state;
  invitation_ = {};
  link_key_.clear();
  code_key_.clear();
}

bool PairingDesk::close(std::int64_t id, Time now) {
  on_deadline(now);
  if (!is_open() || window_->id != id) {
    return false;
  }
  end(State::kClosed);
  return true;
}

void PairingDesk::on_deadline(Time now) {
  if (is_open() && now >= window_->closes) {
    end(State::kExpired);
  }
}

Time PairingDesk::next_deadline() const { return is_open() ? window_->closes : kNever; }

const PairingDesk::Invitation* PairingDesk::invitation() const { return is_open() ? &invitation_ : nullptr; }

PairingRefusal PairingDesk::refusal() const {
  if (!window_) {
    return {PairingRefusalCode::kNoWindow,
            "The box is not waiting for a device. Start \"Add a device\" on the box."};
  }
  switch (window_->state) {
    case State::kUsed:
      return {PairingRefusalCode::kUsed, "This link or code was used already. Make a new one on the box."};
    case State::kExpired:
      return {PairingRefusalCode::kExpired,
              "This link or code is older than 10 minutes. Make a new one on the box."};
    case State::kTooManyTries:
      return {PairingRefusalCode::kTooManyTries,
              "Too many wrong codes were tried, so the box closed this pairing. Make a new code on the box."};
    case State::kOpen:
      return {PairingRefusalCode::kWrongCode, "The code is not right. Check each symbol and try again."};
    case State::kClosed:
      break;
  }
  return {PairingRefusalCode::kNoWindow,
          "This pairing was cancelled on the box. Start \"Add a device\" again."};
}

PairingDesk::Verdict PairingDesk::judge(const PairingRequest& request, const BoxCard& card, Time now) {
  on_deadline(now);
  if (window_ && window_->state == State::kUsed && settled_request_ && *settled_request_ == request &&
      now < window_->closes) {
    Accepted again = *settled_;
    again.repeated = true;
    return again;
  }
  if (!is_open()) {
    return refusal();
  }
  const bool by_link = signalling::proves(crypto_, request, link_key_);
  const bool by_code = signalling::proves(crypto_, request, code_key_);
  // A key that is no point of the curve could never open a tunnel; who sends one did not follow the protocol.
  if ((!by_link && !by_code) || !box_.agree(request.public_key)) {
    if (--window_->tries_left == 0) {
      end(State::kTooManyTries);
    }
    return refusal();
  }
  Accepted accepted;
  accepted.identity.digest = crypto_.sha256(request.public_key);
  accepted.public_key = request.public_key;
  accepted.name = request.name;
  accepted.answer.name = card.name;
  accepted.answer.rendezvous = card.rendezvous;
  accepted.answer.addresses = likeliest(card.addresses);
  signalling::seal_pairing_answer(crypto_, random_, box_, request, by_link ? link_key_ : code_key_,
                                  accepted.answer);
  return accepted;
}

void PairingDesk::settle(const PairingRequest& request, const Accepted& accepted, DeviceId device) {
  if (is_open()) {
    end(State::kUsed);
    window_->device = device;
    settled_request_ = request;
    settled_ = accepted;
  }
}

}  // namespace hearthcast::access
