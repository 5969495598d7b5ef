// The rendezvous of a scenario, reduced to what the two ends see of it: presence over UDP, and connections
// over which it carries sealed introductions. Connections are not simulated in packets: a message takes a
// moment, waits while a wire is down, and is lost with its connection.
#pragma once

#include <array>
#include <functional>

#include "tests/sim/world.hpp"
#include "tunnelmgr/nat/presence.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"
#include "tunnelmgr/signalling/client.hpp"

namespace hearthcast::sim {

enum class Side : std::uint8_t { kBox, kLaptop };

// One end, as the rendezvous knows it.
class Member {
 public:
  virtual ~Member() = default;
  [[nodiscard]] virtual const Actor& actor() const = 0;
  virtual void on_joined(nat::PresenceAccount account) = 0;
  virtual void on_left() = 0;
  virtual void on_offer(const signalling::IntroduceOffer& /*offer*/) {}  // box
  virtual void on_moved(const std::vector<Endpoint>& /*endpoints*/) {}   // laptop: where the box is now
  virtual void on_answer(const signalling::IntroductionAnswered& /*sealed*/) {}  // laptop
};

class Rendezvous final : public Actor {
 public:
  // Members are known by their side; identity is the laptop's.
  Rendezvous(World& world, IdentityId laptop);
  Rendezvous(const Rendezvous&) = delete;
  Rendezvous& operator=(const Rendezvous&) = delete;

  void set_member(Side side, Member* member);  // null: it is gone
  void set_up(bool up);
  // The connection of that side is of no use any more, and it notices after a time.
  void break_connection(Side side, Duration noticed_after);

  void introduce(signalling::Sealed sealed);                    // laptop
  void answer(std::uint64_t offer, signalling::Sealed sealed);  // box

  void tell_moved(std::vector<Endpoint> endpoints);  // box

  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] bool joined(Side side) const { return end(side).joined; }
  [[nodiscard]] std::size_t largest_growth() const { return largest_growth_; }

  void on_datagram(const Endpoint& from, Bytes bytes, Time now) override;
  void on_deadline(Time) override {}
  [[nodiscard]] Time next_deadline() const override { return kNever; }

 private:
  struct End {
    Member* member = nullptr;
    bool joined = false;
    std::uint64_t connection = 0;  // messages of a former one are lost
    std::optional<Endpoint> seen;  // by UDP
  };
  [[nodiscard]] End& end(Side side) { return ends_.at(static_cast<std::size_t>(side)); }
  [[nodiscard]] const End& end(Side side) const { return ends_.at(static_cast<std::size_t>(side)); }
  [[nodiscard]] bool reachable(const End& end) const;
  void leave(Side side);
  void join_after(Side side, Duration wait);
  // On the connections that are there now: from one side to the other.
  void carry(Side from, Side to, std::function<void()> what, Duration limit);
  void push_moved(const Endpoint& seen, Time until);
  [[nodiscard]] Duration about(Duration most);

  World& world_;
  IdentityId laptop_;
  secure::OpenSslCrypto crypto_;
  std::array<End, 2> ends_;
  bool up_ = true;
  std::uint64_t offers_ = 0;
  std::size_t largest_growth_ = 0;
};

inline constexpr std::string_view kRendezvousAddress4 = "192.0.2.9:3478";
inline constexpr std::string_view kRendezvousAddress6 = "[2001:db8:9::9]:3478";

}  // namespace hearthcast::sim
