// Has the home's router let one UDP port in: asks by PCP (RFC 6887), then by NAT-PMP (RFC 6886), then by UPnP
// (WANIPConnection), keeps the mapping by renewing it at half its lease, asks again when the router has lost
// it, and gives it back at the end. No I/O: it is given datagrams and the time, and returns what to do.
// Not thread-safe. Bad input is counted and has no effect.
//
// Only the router itself is asked and believed: the next hop of the default route.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/nat/server_epoch.hpp"
#include "tunnelmgr/wire/nat_pmp.hpp"
#include "tunnelmgr/wire/pcp.hpp"

namespace hearthcast::nat {

struct MappingTiming {
  std::chrono::seconds lease = std::chrono::minutes{20};    // asked for
  std::chrono::seconds longest = std::chrono::hours{1};     // believed
  Duration pcp_first = std::chrono::seconds{3};             // RFC 6887 section 8.1.1, doubles
  int pcp_tries = 2;                                        // then the next way
  Duration nat_pmp_first = std::chrono::milliseconds{250};  // RFC 6886 section 3.1, doubles
  int nat_pmp_tries = 4;
  Duration renew_least = std::chrono::seconds{4};  // between renewals, RFC 6887 section 11.2.1
  Duration retry_first = std::chrono::minutes{5};  // after no way worked; doubles
  Duration retry_last = std::chrono::hours{1};
};

enum class MappingWay : std::uint8_t { kPcp, kNatPmp, kUpnp };
[[nodiscard]] std::string_view to_string(MappingWay way);  // PCP, NAT-PMP, UPnP

struct Gateway {
  IpAddress address;  // IPv4
  IpAddress own;      // this machine's address towards it
  friend bool operator==(const Gateway&, const Gateway&) = default;
};

struct AskGateway {  // by UDP, port wire::kPcpServerPort of the gateway
  Buffer bytes;
};
// Answer with on_upnp(), however long it takes; one is under way at a time.
struct MapByUpnp {
  std::uint64_t number = 0;  // of this question
  Gateway gateway;
  std::uint16_t port = 0;           // of both ends, if it is free outside
  std::uint16_t external_port = 0;  // of the mapping to renew; 0: a new one
  std::chrono::seconds lease{};
};
struct UnmapByUpnp {  // needs no answer
  Gateway gateway;
  std::uint16_t external_port = 0;
};
// status() says something else about where the port is outside.
struct MappingMoved {};

using MappingAction = std::variant<AskGateway, MapByUpnp, UnmapByUpnp, MappingMoved>;
using MappingActions = std::vector<MappingAction>;

struct UpnpAnswer {
  std::uint64_t number = 0;
  std::optional<Endpoint> external;
  std::string error;  // why not, for people
};

enum class MappingState : std::uint8_t { kNoGateway, kAsking, kMapped, kRefused };

struct MappingStatus {
  MappingState state = MappingState::kNoGateway;
  std::optional<MappingWay> way;     // while kMapped
  std::optional<Endpoint> external;  // while kMapped
  std::string text;                  // for people
};

struct MappingCounters {
  std::uint64_t asked = 0;      // datagrams and UPnP questions
  std::uint64_t strangers = 0;  // not from the gateway
  std::uint64_t bad = 0;        // from it, but no answer to a question of ours
  std::uint64_t restarts = 0;   // of the gateway that were noticed
};

class PortMapping {
 public:
  // Random outlives it. `port` is asked for on both sides.
  PortMapping(Random& random, std::uint16_t port, MappingTiming timing = {});

  // The default route leads there now; nothing: there is none. The same again changes nothing.
  [[nodiscard]] MappingActions on_gateway(std::optional<Gateway> gateway, Time now);
  // What came in answer, or, on port wire::kPcpClientPort, as an announcement.
  [[nodiscard]] MappingActions on_datagram(const Endpoint& from, Bytes datagram, Time now);
  [[nodiscard]] MappingActions on_announcement(const Endpoint& from, Bytes datagram, Time now);
  [[nodiscard]] MappingActions on_upnp(const UpnpAnswer& answer, Time now);
  [[nodiscard]] MappingActions on_deadline(Time now);
  // Gives the mapping back and is idle until on_gateway() names one.
  [[nodiscard]] MappingActions stop();
  [[nodiscard]] Time next_deadline() const { return next_; }

  [[nodiscard]] const MappingStatus& status() const { return status_; }
  [[nodiscard]] const MappingCounters& counters() const { return counters_; }

 private:
  void begin(MappingWay way, Time now, MappingActions& out);
  void ask(Time now, MappingActions& out);  // by way_, once
  void next_way(const std::string& why, Time now, MappingActions& out);
  void on_pcp(const wire::PcpAnswer& answer, Time now, MappingActions& out);
  void on_nat_pmp(const wire::NatPmpAnswer& answer, Time now, MappingActions& out);
  void mapped(const Endpoint& external, std::chrono::seconds lease, Time now, MappingActions& out);
  void plan_renewal(Time now);
  void renew_soon(Time now);
  void give_back(MappingActions& out);
  void rest(std::string why, Time now, MappingActions& out);
  void set_state(MappingState state, std::string text, MappingActions& out);
  [[nodiscard]] bool is_mapped() const { return status_.state == MappingState::kMapped; }
  [[nodiscard]] bool epoch_is_good(std::uint32_t epoch, Time now);

  Random* random_;  // never null
  std::uint16_t port_;
  MappingTiming timing_;
  std::optional<Gateway> gateway_;
  MappingStatus status_;
  MappingWay way_ = MappingWay::kPcp;
  wire::PcpNonce nonce_{};
  ServerEpoch epoch_;
  std::optional<IpAddress> external_address_;  // NAT-PMP tells it apart from the port
  int tries_ = 0;
  std::uint64_t upnp_number_ = 0;
  bool upnp_open_ = false;
  Time lease_end_ = kNever;
  int failures_ = 0;  // rounds through all ways
  std::string why_not_;
  Time next_ = kNever;
  MappingCounters counters_;
};

// Whether an address outside is of use to a device anywhere.
[[nodiscard]] bool is_outside(const IpAddress& address);

}  // namespace hearthcast::nat
