// One foreign peer: its encapsulation, and where it is. The endpoint is configured, or learnt from what the
// peer proves. Pure; one thread. What comes from outside is a value or a count, never an answer larger than
// the question.
//
// Learning (docs/tunnels/): AYIYA's draft profiles and the heartbeat move the endpoint with each valid
// packet, as they were deployed: who holds back a packet and sends it first from elsewhere moves it too. The
// hardened AYIYA sends a challenge to the new endpoint and moves when it is answered from there.
#pragma once

#include <optional>
#include <string>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/tunnel/encapsulation.hpp"

namespace hearthcast::tunnel {

struct HeartbeatSettings {
  IpAddress tunnel = IpAddress::any(Family::kIp6);  // the peer's address in the tunnel
  std::string password;
};

struct StaticPeerSettings {
  std::string name;
  EncapsulationSettings encapsulation = {};
  // Where it is. None: learnt, from AYIYA itself or from heartbeats. Port 0 over IP.
  std::optional<Endpoint> endpoint = std::nullopt;
  std::optional<HeartbeatSettings> heartbeat = std::nullopt;
};

struct StaticPeerCounters {
  std::uint64_t received = 0;  // inner packets that were handed on
  std::uint64_t moves = 0;     // of a learnt endpoint
  std::uint64_t challenges = 0;
  DropCounters dropped{};
};

class StaticPeer {
 public:
  // A learnt endpoint of which nothing valid came for so long is forgotten.
  static constexpr std::chrono::seconds kGone{120};
  static constexpr std::chrono::seconds kHeartbeatWindow{120};
  static constexpr std::chrono::seconds kChallengePatience{5};

  struct Tools {  // all outlive the peer
    wire::AyiyaHashes hashes;
    Random& random;
  };
  StaticPeer(StaticPeerSettings settings, const Tools& tools);

  struct Answer {
    Endpoint to;
    Buffer datagram;
  };
  struct Reaction {
    Bytes packet;                  // an inner packet for us, a view into the datagram; empty: none
    std::optional<Answer> answer;  // to be sent from the port that the datagram came to
  };

  // Could a datagram from there be this peer's? By its source, for AYIYA by the name in it. Nothing is proven
  // yet.
  [[nodiscard]] bool claims(const Endpoint& from, Bytes datagram) const;
  // `datagram`: what UDP carried, or IP.
  [[nodiscard]] Reaction on_datagram(const Endpoint& from, Bytes datagram, const Moment& moment);
  // Is the heartbeat about this peer? Then it is judged and counted.
  bool on_heartbeat(const Endpoint& from, Bytes datagram, const Moment& moment);
  void on_unwanted() { ++counters_.dropped[static_cast<std::size_t>(Drop::kUnwanted)]; }
  // Forgets a learnt endpoint that has been silent; at any time.
  void on_tick(Time now);

  [[nodiscard]] const std::optional<Endpoint>& endpoint() const { return endpoint_; }
  [[nodiscard]] const StaticPeerSettings& settings() const { return settings_; }
  [[nodiscard]] const StaticPeerCounters& counters() const { return counters_; }
  [[nodiscard]] Encapsulation& encapsulation() { return *encapsulation_; }
  [[nodiscard]] std::optional<Time> last_received() const { return last_received_; }

 private:
  struct Challenge {
    Endpoint to;
    std::array<std::uint8_t, 16> nonce{};
    Time sent{};
  };

  [[nodiscard]] bool learns() const { return !settings_.endpoint; }
  [[nodiscard]] bool is_hardened() const;
  void count(Drop drop) { ++counters_.dropped[static_cast<std::size_t>(drop)]; }
  [[nodiscard]] Reaction perform(const Opened& opened, const Endpoint& from, std::size_t size,
                                 const Moment& moment);
  [[nodiscard]] std::optional<Answer> challenge(const Endpoint& from, std::size_t size, const Moment& moment);
  void on_answered(const Endpoint& from, Bytes nonce, Time now);
  void move(const Endpoint& to);

  StaticPeerSettings settings_;
  Tools tools_;
  std::unique_ptr<Encapsulation> encapsulation_;
  std::optional<Endpoint> endpoint_;
  std::optional<Time> last_received_;
  std::optional<Challenge> challenge_;
  std::uint64_t last_heartbeat_ = 0;  // the sender's clock
  StaticPeerCounters counters_;
};

}  // namespace hearthcast::tunnel
