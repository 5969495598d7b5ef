// The router's side of membership in one tunnel (RFC 3810 section 7, RFC 3376 section 6): querier, and what
// the host at the other end wants, tracked explicitly.
//
// Not thread-safe. Performs nothing: the caller sends the packets and acts on what was joined and left.
// Groups of source-specific ranges may be asked for from any source: the catalogue decides what is carried,
// and playlists name such groups without their source.
#pragma once

#include <array>
#include <map>
#include <variant>
#include <vector>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/old_group_state.hpp"
#include "tunnelmgr/membership/subscription.hpp"
#include "tunnelmgr/membership/timing.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::membership::old {

inline constexpr std::array<std::chrono::milliseconds, 3> kQueryRepeats{
    std::chrono::milliseconds(500), std::chrono::milliseconds(1000), std::chrono::milliseconds(2000)};

struct SendPacket {
  Buffer ip_packet;  // to seal and send without a GRE key
  friend bool operator==(const SendPacket&, const SendPacket&) = default;
};
struct Joined {
  Subscription subscription;
  friend bool operator==(const Joined&, const Joined&) = default;
};
struct Left {
  Subscription subscription;
  friend bool operator==(const Left&, const Left&) = default;
};
// More groups or sources than a tunnel may ask for; what is joined already goes on.
struct OverLimit {
  Subscription subscription;
  friend bool operator==(const OverLimit&, const OverLimit&) = default;
};
using Action = std::variant<SendPacket, Joined, Left, OverLimit>;
using Actions = std::vector<Action>;

struct RouterCounters {
  std::uint64_t reports = 0;
  std::array<std::uint64_t, wire::kMembershipErrors> dropped{};  // by wire::MembershipError
  std::uint64_t foreign_queries = 0;                             // the host is no router
  std::uint64_t ignored_groups = 0;                              // link scope, or no multicast
  std::uint64_t ignored_records = 0;                             // unknown type
  std::uint64_t over_limit = 0;
};

class Router {
 public:
  // `link_local`: the source of MLD queries, fe80::1 on a box. IGMP queries come from 0.0.0.0.
  Router(IpAddress link_local, Timing timing, Limits limits, Time now);

  [[nodiscard]] Actions on_packet(Bytes ip_packet, Time now);
  [[nodiscard]] Actions on_deadline(Time now);  // the first one is due at once: the startup query
  [[nodiscard]] Time next_deadline() const;
  [[nodiscard]] Actions close();  // the tunnel is gone: everything is left

  [[nodiscard]] std::vector<Subscription> subscriptions() const;
  [[nodiscard]] const RouterCounters& counters() const { return counters_; }

 private:
  void on_record(wire::RecordType type, const IpAddress& group, std::vector<IpAddress> sources, Time now,
                 Actions& actions);
  [[nodiscard]] bool within_limits(const IpAddress& group, std::vector<IpAddress>& sources, Actions& actions);
  [[nodiscard]] bool waits_for_answer(Family family) const;
  void append_query(Family family, Actions& actions) const;

  IpAddress link_local_;
  Timing timing_;
  Limits limits_;
  int startup_queries_;
  Time next_query_;
  Time last_query_;
  std::size_t query_repeats_ = kQueryRepeats.size();  // of the last query, done so far
  std::array<bool, 2> answered_{};                    // the last query, by family
  std::map<IpAddress, GroupState> groups_;
  RouterCounters counters_;
};

}  // namespace hearthcast::membership::old
