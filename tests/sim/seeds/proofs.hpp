// What one end may send where, as somebody sees it who watches its wire and knows who is who: which endpoints
// have answered a challenge of that end, and what went to those that have not.
//
// An endpoint is proven for kProof after it answered, from there and to there, a check that this end sent to
// it. Only datagrams that the other end itself has sent count as answers.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::sim {

class Proofs {
 public:
  static constexpr Duration kProof = std::chrono::seconds{30};  // RFC 7675 section 5.1
  // An introduction, or the memory of a former run, names an endpoint that nothing came from yet. Checks may
  // be sent there: for five seconds at most twice a second and the triggered ones, then ever more rarely.
  static constexpr std::size_t kToldAllowance = 3200;  // sixteen of 200 octets
  static constexpr std::size_t kToldPerSecond = 100;   // then; a check every two seconds and no more

  // What is wrong with it; nothing: it is allowed.
  [[nodiscard]] std::optional<std::string> on_sent(const Endpoint& to, Bytes datagram, Time now);
  // genuine: the other end itself sent it.
  void on_received(const Endpoint& from, Bytes datagram, bool genuine, Time now);
  void on_told(const Endpoint& endpoint, Time now);

  [[nodiscard]] bool is_proven(const Endpoint& endpoint, Time now) const;

 private:
  using Id = std::array<std::uint8_t, 12>;
  struct Peer {
    std::optional<Time> proven;
    std::size_t received = 0;  // while it was not proven
    std::size_t sent = 0;
    std::size_t allowance = 0;
    std::optional<Time> told;
  };
  struct Check {
    Id id;
    Endpoint to;
  };
  std::map<Endpoint, Peer> peers_;
  std::deque<Check> checks_;  // the last ones
};

}  // namespace hearthcast::sim
