// Two DTLS sessions and a network between them that loses, duplicates and reorders, on virtual time.
#pragma once

#include <deque>
#include <random>

#include "tunnelmgr/secure/dtls_session.hpp"

namespace hearthcast::secure {

struct Faults {
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;
};

class DtlsWorld {
 public:
  DtlsWorld() : DtlsWorld(make_identity(), make_identity()) {}
  DtlsWorld(const OpenSslIdentity& away, const OpenSslIdentity& home)
      : DtlsWorld(away, home, home.id(), away.id()) {}
  // What each side expects of the other, told apart from what the other is.
  DtlsWorld(const OpenSslIdentity& away, const OpenSslIdentity& home, const IdentityId& away_expects,
            const IdentityId& home_expects)
      : client(DtlsContext::make(away).value(), DtlsRole::kClient, away_expects),
        server(DtlsContext::make(home).value(), DtlsRole::kServer, home_expects) {}

  // Handshakes until both sides have decided, or nothing happens any more.
  void handshake(const Faults& faults = {}, unsigned seed = 1) {
    faults_ = faults;
    random_.seed(seed);
    post(to_client, server.start(now));
    post(to_server, client.start(now));
    while (step()) {
    }
  }

  bool both_established() const {
    return client.state() == DtlsState::kEstablished && server.state() == DtlsState::kEstablished;
  }

  DtlsSession client;
  DtlsSession server;
  Time now{};
  std::size_t largest = 0;  // datagram of the handshake
  std::size_t datagrams = 0;
  std::deque<Buffer> to_client;
  std::deque<Buffer> to_server;

 private:
  bool chance(double probability) { return std::uniform_real_distribution<>(0, 1)(random_) < probability; }

  void post(std::deque<Buffer>& queue, DtlsSession::Datagrams flight) {
    for (Buffer& datagram : flight) {
      largest = std::max(largest, datagram.size());
      ++datagrams;
      if (chance(faults_.loss)) {
        continue;
      }
      if (chance(faults_.duplicate)) {
        queue.push_back(datagram);
      }
      chance(faults_.reorder) ? queue.push_front(std::move(datagram)) : queue.push_back(std::move(datagram));
    }
  }

  bool step() {
    if (!to_server.empty()) {
      const Buffer datagram = std::move(to_server.front());
      to_server.pop_front();
      post(to_client, server.on_datagram(datagram, now));
      return true;
    }
    if (!to_client.empty()) {
      const Buffer datagram = std::move(to_client.front());
      to_client.pop_front();
      post(to_server, client.on_datagram(datagram, now));
      return true;
    }
    const Time next = std::min(client.next_deadline(), server.next_deadline());
    if (next == kNever) {
      return false;
    }
    now = std::max(now, next);
    post(to_server, client.on_deadline(now));
    post(to_client, server.on_deadline(now));
    return true;
  }

  Faults faults_;
  std::mt19937 random_;
};

}  // namespace hearthcast::secure
