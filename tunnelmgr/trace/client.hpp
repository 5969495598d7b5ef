// The client of multicast traceroute (RFC 8487 section 5): asks the last-hop router for the path of a flow,
// and when nothing comes back asks hop by hop, so that a silent router is found.
//
// Not thread-safe. A machine: outputs are datagrams that the caller sends with hop limit 255 to the endpoint
// given; the client's address and port are where the caller receives. Replies that nobody asked for are
// counted and change nothing.
#pragma once

#include <vector>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/wire/mtrace2.hpp"

namespace hearthcast::trace {

struct Query {
  IpAddress group;
  std::optional<IpAddress> source;  // nullopt: the path of any source
  IpAddress router;                 // the last hop: whoever forwards the group to the client's link
  Endpoint client;                  // where replies are received
};

struct ClientTiming {
  std::chrono::milliseconds timeout = std::chrono::seconds{2};
  int attempts = 3;        // of the whole path, and of each hop
  std::uint8_t hops = 32;  // no path is longer
};

enum class Ending {
  kReached,  // the last router says that the source is on its link, or that it is the rendezvous point
  kStopped,  // the last router could not go on: its code says why, or it knows no router above it
  kSilent,   // the router above the last one that answered, or the first, does not answer
};

struct Outcome {
  Ending ending = Ending::kSilent;
  std::vector<wire::Mtrace2Response> path;  // from the client towards the source
  Duration round_trip{};                    // of the reply that told the longest path; zero when silent
  bool hop_by_hop = false;                  // the whole path was not told at once
};

struct SendQuery {
  Endpoint to;
  Buffer datagram;
};

class Client {
 public:
  // `first_id` should not be predictable. The first query is due at once: take it from on_deadline(now).
  Client(Query query, ClientTiming timing, std::uint16_t first_id, Time now);

  [[nodiscard]] std::optional<SendQuery> on_deadline(Time now);
  [[nodiscard]] std::optional<SendQuery> on_datagram(Bytes datagram, Time now);
  [[nodiscard]] Time next_deadline() const { return outcome_ ? kNever : deadline_; }

  [[nodiscard]] const std::optional<Outcome>& outcome() const { return outcome_; }
  [[nodiscard]] std::size_t strangers() const { return strangers_; }  // datagrams that answered nothing

 private:
  [[nodiscard]] bool answers(const wire::Mtrace2Message& reply) const;
  [[nodiscard]] SendQuery ask(Time now);
  void finish(Ending ending);

  Query query_;
  ClientTiming timing_;
  std::uint16_t id_;
  std::uint8_t hops_;
  int tries_ = 0;
  Time sent_{};
  Time deadline_;
  Outcome found_;
  std::optional<Outcome> outcome_;
  std::size_t strangers_ = 0;
};

// The arrival time as seconds since the NTP era began, modulo 65536, for differences between routers.
[[nodiscard]] double arrival_seconds(const wire::Mtrace2Response& response);

}  // namespace hearthcast::trace
