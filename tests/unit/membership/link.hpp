// One link with our router on it, for tests: hosts and other routers speak, time passes, and what the router
// did is kept for looking at.
#pragma once

#include <functional>

#include "tests/unit/membership/packets.hpp"
#include "tunnelmgr/membership/router.hpp"

namespace hearthcast::membership {

// A query that the router sent, and when.
struct Sent {
  Time at;
  IpAddress source;
  IpAddress destination;
  wire::MembershipQuery query;
};

class Link {
 public:
  explicit Link(RouterSettings settings = {}, std::optional<std::string_view> own_address = std::nullopt)
      : family(settings.family),
        router(std::move(settings),
               ip(own_address.value_or(family == Family::kIp4 ? "192.168.1.1" : "fe80::1")), kStart) {}
  Link(RouterSettings settings, std::nullptr_t)
      : family(settings.family), router(std::move(settings), std::nullopt, kStart) {}

  // What happened since it was last asked for.
  std::vector<FilterChanged> changes() { return std::exchange(changes_, {}); }
  std::vector<Sent> queries() { return std::exchange(queries_, {}); }
  std::vector<QuerierChanged> queriers() { return std::exchange(queriers_, {}); }
  std::vector<OverLimit> refusals() { return std::exchange(refusals_, {}); }
  // The times of the queries, counted from the start.
  std::vector<Duration> query_times() {
    std::vector<Duration> times;
    for (const Sent& sent : queries()) {
      times.push_back(sent.at - kStart);
    }
    return times;
  }

  void say(const wire::MembershipMessage& message, std::string_view host) {
    perform(router.on_packet(packet(message, ip(host)), now));
  }
  void record(wire::RecordType type, std::string_view group,
              std::initializer_list<std::string_view> sources = {}, std::string_view host = "") {
    say(one(type, group, sources),
        host.empty() ? (family == Family::kIp4 ? "192.168.1.50" : "fe80::50") : host);
  }
  // Until `end`, each deadline at its time.
  void run_until(Time end) {
    while (router.next_deadline() <= end) {
      const Time at = std::max(now, router.next_deadline());
      now = at;
      perform(router.on_deadline(now));
      ASSERT_GT(router.next_deadline(), now) << "a deadline that stays where it is";
    }
    now = end;
  }
  void run(Duration time) { run_until(now + time); }
  // The start-up queries are over and nobody wants anything; forgets what happened.
  void settle_down() {
    run(std::chrono::minutes(10));
    forget();
  }
  void forget() { (void)changes(), (void)queries(), (void)queriers(), (void)refusals(); }

  void perform(const Actions& actions) {
    for (const Action& action : actions) {
      if (const auto* send = std::get_if<SendPacket>(&action)) {
        const auto decoded = wire::decode_membership_packet(send->ip_packet);
        ASSERT_TRUE(decoded) << "sent something that no host would take";
        ASSERT_TRUE(std::holds_alternative<wire::MembershipQuery>(decoded->message));
        queries_.push_back(
            {now, decoded->source, decoded->destination, std::get<wire::MembershipQuery>(decoded->message)});
      } else if (const auto* change = std::get_if<FilterChanged>(&action)) {
        changes_.push_back(*change);
      } else if (const auto* querier = std::get_if<QuerierChanged>(&action)) {
        queriers_.push_back(*querier);
      } else {
        refusals_.push_back(std::get<OverLimit>(action));
      }
    }
  }

  Family family;
  Router router;
  Time now = kStart;

 private:
  std::vector<FilterChanged> changes_;
  std::vector<Sent> queries_;
  std::vector<QuerierChanged> queriers_;
  std::vector<OverLimit> refusals_;
};

inline SourceFilter include(std::initializer_list<std::string_view> sources) {
  SourceFilter filter;
  for (const auto source : sources) {
    filter.sources.insert(ip(source));
  }
  return filter;
}
inline SourceFilter exclude(std::initializer_list<std::string_view> sources = {}) {
  return {FilterMode::kExclude, include(sources).sources};
}

}  // namespace hearthcast::membership
