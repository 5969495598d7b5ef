#include "tests/sim/seeds/rendezvous.hpp"

#include <utility>

#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kHop = 40ms;            // of a message, wherever the ends are
constexpr Duration kHandshakes = 200ms;    // TCP, TLS, hello and welcome
constexpr Duration kRetry = 2s;            // of an end that does not get through; drawn below it
constexpr Duration kRequestTimeout = 10s;  // as signalling::Client has it
constexpr std::string_view kPassword = "presence password";

}  // namespace

Rendezvous::Rendezvous(World& world, IdentityId laptop) : world_(world), laptop_(laptop) {
  world.add_host(*this, std::string(kRendezvousAddress4));
  world.add_host(*this, std::string(kRendezvousAddress6));
}

Duration Rendezvous::about(Duration most) {
  return most / 1024 * static_cast<long>(world_.generator()() % 1024);
}

bool Rendezvous::reachable(const End& end) const {
  return up_ && end.member != nullptr &&
         (world_.reaches_core(end.member->actor(), Family::kIp4) ||
          world_.reaches_core(end.member->actor(), Family::kIp6));
}

void Rendezvous::set_member(Side side, Member* member) {
  End& of = end(side);
  of.member = member;
  of.joined = false;
  ++of.connection;
  if (member != nullptr) {
    join_after(side, about(50ms));
  }
}

void Rendezvous::leave(Side side) {
  End& of = end(side);
  ++of.connection;
  if (of.joined) {
    of.joined = false;
    of.member->on_left();
  }
}

void Rendezvous::set_up(bool up) {
  up_ = up;
  for (const Side side : {Side::kBox, Side::kLaptop}) {
    if (end(side).member != nullptr) {
      leave(side);
      join_after(side, about(kRetry));
    }
  }
}

void Rendezvous::break_connection(Side side, Duration noticed_after) {
  const auto connection = ++end(side).connection;
  world_.at(world_.now() + noticed_after, [this, side, connection] {
    if (end(side).connection == connection && end(side).member != nullptr) {
      leave(side);
      join_after(side, {});
    }
  });
}

void Rendezvous::join_after(Side side, Duration wait) {
  const auto connection = end(side).connection;
  world_.at(world_.now() + wait + kHandshakes, [this, side, connection] {
    End& of = end(side);
    if (of.connection != connection || of.member == nullptr || of.joined) {
      return;
    }
    if (!reachable(of)) {
      join_after(side, about(kRetry));
      return;
    }
    of.joined = true;
    of.seen.reset();  // by an account that ended with the former connection
    const bool by_ip4 = world_.reaches_core(of.member->actor(), Family::kIp4);
    of.member->on_joined({.server = *Endpoint::parse(by_ip4 ? kRendezvousAddress4 : kRendezvousAddress6),
                          .username = side == Side::kBox ? "box" : "laptop",
                          .password = std::string(kPassword)});
  });
}

void Rendezvous::carry(Side from, Side to, std::function<void()> what, Duration limit) {
  const std::array connections{end(from).connection, end(to).connection};
  const Time until = world_.now() + limit;
  world_.at(world_.now() + 2 * kHop, [this, from, to, connections, until, what = std::move(what)] {
    if (end(from).connection != connections[0] || end(to).connection != connections[1] || !end(to).joined) {
      return;
    }
    if (reachable(end(from)) && reachable(end(to))) {
      what();
    } else if (world_.now() < until) {  // TCP repeats
      carry(from, to, what, until - world_.now());
    }
  });
}

void Rendezvous::introduce(signalling::Sealed sealed) {
  signalling::IntroduceOffer offer;
  offer.id = ++offers_;
  offer.device = laptop_;
  offer.payload = std::move(sealed.payload);
  offer.signature = std::move(sealed.signature);
  carry(
      Side::kLaptop, Side::kBox,
      [this, offer]() mutable {
        if (const auto& seen = end(Side::kLaptop).seen) {
          offer.observed.push_back(*seen);
        }
        end(Side::kBox).member->on_offer(offer);
      },
      kRequestTimeout);
}

void Rendezvous::answer(std::uint64_t offer, signalling::Sealed sealed) {
  carry(
      Side::kBox, Side::kLaptop,
      [this, offer, sealed = std::move(sealed)] {
        signalling::IntroductionAnswered answered;
        answered.id = offer;
        answered.sealed = sealed;
        end(Side::kLaptop).member->on_answer(answered);
      },
      kRequestTimeout);
}

void Rendezvous::tell_moved(std::vector<Endpoint> endpoints) {
  carry(
      Side::kBox, Side::kLaptop,
      [this, endpoints = std::move(endpoints)] { end(Side::kLaptop).member->on_moved(endpoints); },
      kRequestTimeout);
}

// Of its own accord, however the box's connection is.
void Rendezvous::push_moved(const Endpoint& seen, Time until) {
  const auto connection = end(Side::kLaptop).connection;
  world_.at(world_.now() + kHop, [this, seen, connection, until] {
    const End& laptop = end(Side::kLaptop);
    if (laptop.connection != connection || !laptop.joined) {
      return;
    }
    if (reachable(laptop)) {
      laptop.member->on_moved({seen});
    } else if (world_.now() < until) {  // TCP repeats
      push_moved(seen, until);
    }
  });
}

void Rendezvous::on_datagram(const Endpoint& from, Bytes bytes, Time) {
  const auto request = wire::decode_stun(bytes);
  if (!up_ || !request || !wire::check_integrity(bytes, crypto_, as_bytes(kPassword))) {
    return;
  }
  const Side side = request->username == "box" ? Side::kBox : Side::kLaptop;
  const bool another = std::exchange(end(side).seen, from) != from;
  if (another && side == Side::kBox && end(side).joined) {
    push_moved(from, world_.now() + kRequestTimeout);
  }
  wire::StunMessage answer;
  answer.message_class = wire::StunClass::kSuccess;
  answer.transaction = request->transaction;
  answer.xor_mapped_address = from;
  const Buffer out = wire::encode_stun(answer, crypto_, as_bytes(kPassword));
  largest_growth_ = std::max(largest_growth_, out.size() - std::min(out.size(), bytes.size()));
  world_.send(*this, from, out);
}

}  // namespace hearthcast::sim
