// Finding the box on the link that one is in, without anybody between (RFC 6762, RFC 6763): the service
// _hearthcast._udp.local, which a box answers for and a client asks for. Pure; not thread-safe.
//
// The instance has a random name for each run of the box, and says nothing but addresses and port: what may
// talk to it is decided by the credentials of each pairing, as everywhere. Only neighbours are heard (RFC
// 6762 section 11), and no answer to one host is larger than what it sent; what everybody on the link may
// know goes to the group, at most once a second.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/wire/dns.hpp"

namespace hearthcast::nat {

inline constexpr std::uint16_t kMdnsPort = 5353;
[[nodiscard]] IpAddress mdns_group(Family family);
[[nodiscard]] wire::DnsName lan_service_name();

struct LanResponderCounters {
  std::uint64_t answered = 0;
  std::uint64_t strangers = 0;  // not from this link
  std::uint64_t held_back = 0;  // too often, or the answer would be larger than the question
};

// The box's side.
class LanResponder {
 public:
  static constexpr std::uint32_t kTtl = 120;        // seconds
  static constexpr std::uint32_t kLegacyTtl = 10;   // RFC 6762 section 6.7
  static constexpr std::size_t kUnicastBurst = 20;  // answers in a second to single hosts

  explicit LanResponder(Random& random);

  struct Query {
    unsigned link = 0;  // that it came on
    Endpoint from;
    bool neighbour = false;            // `from` lies on that link
    std::vector<IpAddress> addresses;  // of the box there
    std::uint16_t port = 0;            // of its tunnels
  };
  struct Answer {
    Endpoint to;
    Buffer bytes;
  };
  // Nothing: it is no question for this service, or not to be answered now.
  [[nodiscard]] std::optional<Answer> on_query(Bytes datagram, const Query& query, Time now);
  [[nodiscard]] const LanResponderCounters& counters() const { return counters_; }

 private:
  [[nodiscard]] bool asks_for_us(const wire::DnsMessage& query) const;
  [[nodiscard]] wire::DnsMessage records(const Query& query, bool legacy) const;

  wire::DnsName service_;
  wire::DnsName instance_;
  wire::DnsName host_;
  std::vector<std::pair<unsigned, Time>> last_multicast_;  // by link and family
  std::size_t unicast_left_ = kUnicastBurst;
  Time unicast_since_{};
  LanResponderCounters counters_;
};

// The client's side.
class LanSearch {
 public:
  static constexpr Duration kFirst = std::chrono::milliseconds{500};  // other ways may be quicker
  static constexpr Duration kLast = std::chrono::seconds{30};
  static constexpr std::size_t kQuerySize = 512;
  static constexpr std::size_t kMaxFound = 8;

  explicit LanSearch(Random& random) : random_(random) {}

  // Asks while it is wanted, at once again after a change of networks.
  void want(bool wanted, Time now);
  void on_network_change(Time now);
  // The question for the group on every link, when it is due.
  [[nodiscard]] std::optional<Buffer> on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const { return next_; }
  // Where boxes are on that link; empty for what is no answer to the last questions, or from no neighbour.
  [[nodiscard]] std::vector<Endpoint> on_answer(Bytes datagram, const Endpoint& from, bool neighbour);

 private:
  Random& random_;
  std::uint16_t id_ = 0;
  bool asked_ = false;
  Duration wait_ = kFirst;
  Time next_ = kNever;
};

}  // namespace hearthcast::nat
