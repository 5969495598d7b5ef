#include "tests/sim/seeds/monitor.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

#include "tests/sim/seeds/datagram_kind.hpp"
#include "tests/sim/seeds/rendezvous.hpp"

namespace hearthcast::sim {

Monitor::Monitor(const World& world, const Actor& laptop, const TurnServer& relay)
    : world_(world), relay_(relay) {
  laptop_.actor = &laptop;
}

void Monitor::set_box(const Actor& box) {
  box_ = {};
  box_.actor = &box;
}

Monitor::End* Monitor::end_of(const Actor* actor) {
  return actor == nullptr         ? nullptr
         : actor == box_.actor    ? &box_
         : actor == laptop_.actor ? &laptop_
                                  : nullptr;
}

// What the rendezvous is, and where the laptop's relay is, somebody trusted has told.
bool Monitor::is_service(const Endpoint& at) const {
  static const auto four = Endpoint::parse(kRendezvousAddress4), six = Endpoint::parse(kRendezvousAddress6);
  return at == four || at == six || at == Endpoint::parse(kRelayAddress);
}

void Monitor::violated(const std::string& what) {
  std::string kind;
  std::ranges::copy_if(what, std::back_inserter(kind), [](char c) { return c < '0' || c > '9'; });
  if (violations_.size() < kViolationsKept && kinds_.insert(kind).second) {
    std::array<char, 32> when{};
    const std::chrono::duration<double> at = world_.now().time_since_epoch() - std::chrono::hours{1};
    (void)std::snprintf(when.data(), when.size(), "%.3f s: ", at.count());
    violations_.push_back(when.data() + what);
  }
}

void Monitor::check_overlap(Duration together, const char* where) {
  if (together > kOverlap) {
    violated(std::string("two paths have carried together for ") +
             std::to_string(together / std::chrono::milliseconds{1}) + " ms, " + where);
  }
}

void Monitor::on_sent(const Actor& origin, const Endpoint& to, Bytes bytes, Time now) {
  End* end = end_of(&origin);
  if (end == nullptr) {
    return;
  }
  if (now - end->second >= std::chrono::seconds{1}) {
    end->second = now;
    end->in_this_second = 0;
  }
  if (!is_record(bytes)) {
    most_in_a_second_ = std::max(most_in_a_second_, ++end->in_this_second);
    if (end->in_this_second == kStorm) {
      violated(std::string(end == &box_ ? "the box" : "the laptop") + " sends more than " +
               std::to_string(kStorm) + " datagrams in a second");
    }
  }
  if (is_service(to)) {
    return;
  }
  if (const auto wrong = end->proofs.on_sent(to, bytes, now)) {
    violated(std::string(end == &box_ ? "the box" : "the laptop") + " sends " + *wrong);
  }
  if (is_record(bytes)) {
    check_overlap(end->leaves.on_packet(to, now), end == &box_ ? "from the box" : "from the laptop");
  }
}

void Monitor::on_media(const Endpoint& from) {
  check_overlap(arrives_.on_packet(from, world_.now()), "at the laptop");
}

void Monitor::on_wire(const Endpoint& from, const Endpoint& to, Bytes bytes, Time now) {
  ++packets_;
  const auto mix = [this](std::uint64_t value) { trace_ = (trace_ ^ value) * 1099511628211U; };
  mix(static_cast<std::uint64_t>(now.time_since_epoch().count()));
  mix(std::hash<Endpoint>{}(from));
  mix(std::hash<Endpoint>{}(to));
  const int kind = is_request(bytes)     ? 0
                   : is_success(bytes)   ? 1
                   : is_handshake(bytes) ? 2
                   : is_record(bytes)    ? 3
                                         : 4;
  mix(static_cast<std::uint64_t>(kind));
  if (!to.address.is_private() && !from.address.is_private() && !is_service(to) && !is_service(from)) {
    // By the half of the Internet that it goes to: the box is never far away.
    auto& kept = recorded_[kind + (to.port == 4755 ? 0 : 8)];
    kept.from = from;
    kept.to = to;
    kept.bytes.assign(bytes.begin(), bytes.end());
  }
}

std::vector<Monitor::Recorded> Monitor::recorded(const std::vector<IpAddress>& towards) const {
  std::vector<Recorded> found;
  for (const auto& [kind, datagram] : recorded_) {
    if (std::ranges::find(towards, datagram.to.address) != towards.end()) {
      found.push_back(datagram);
    }
  }
  return found;
}

void Monitor::on_delivered(const Actor& at, const Actor* origin, const Endpoint& from, Bytes bytes,
                           Time now) {
  End* end = end_of(&at);
  if (end == nullptr || is_service(from)) {
    return;
  }
  const End& other = end == &box_ ? laptop_ : box_;
  const bool genuine = origin != nullptr && (origin == other.actor || relay_.is_part(origin));
  end->proofs.on_received(from, bytes, genuine, now);
}

}  // namespace hearthcast::sim
