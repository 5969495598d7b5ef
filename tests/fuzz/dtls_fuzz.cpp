// Datagrams from anyone, in any order, to a DTLS session: a fresh server, a client that waits for the
// server's first flight, or an established server. Input: one octet that chooses, then datagrams, each after
// its length (u16).
#include <cstdlib>
#include <memory>

#include "tunnelmgr/secure/dtls_record.hpp"
#include "tunnelmgr/secure/dtls_session.hpp"

namespace {

using namespace hearthcast;
using namespace hearthcast::secure;

struct Parties {
  OpenSslIdentity away = make_identity();
  OpenSslIdentity home = make_identity();
  DtlsContext away_context = DtlsContext::make(away).value();
  DtlsContext home_context = DtlsContext::make(home).value();
};

const Parties& parties() {
  static const Parties made;
  return made;
}

DtlsSession make_server() {
  DtlsSession server(parties().home_context, DtlsRole::kServer, parties().away.id());
  static_cast<void>(server.start(Time{}));
  return server;
}

DtlsSession make_client() {
  return DtlsSession(parties().away_context, DtlsRole::kClient, parties().home.id());
}

DtlsSession make_established() {
  DtlsSession server = make_server();
  DtlsSession client = make_client();
  const auto hello = server.on_datagram(client.start(Time{}).at(0), Time{});
  static_cast<void>(server.on_datagram(client.on_datagram(hello.at(0), Time{}).at(0), Time{}));
  return server;
}

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  Reader in(Bytes(data, size));
  static std::unique_ptr<DtlsSession> established;
  if (!established) {
    established = std::make_unique<DtlsSession>(make_established());
  }
  std::unique_ptr<DtlsSession> fresh;
  const int chosen = in.u8() % 3;
  if (chosen == 0) {
    fresh = std::make_unique<DtlsSession>(make_server());
  } else if (chosen == 1) {
    fresh = std::make_unique<DtlsSession>(make_client());
    static_cast<void>(fresh->start(Time{}));
  }
  DtlsSession& session = fresh ? *fresh : *established;
  Buffer room(2048);
  for (int count = 0; count < 16 && in.left() > 2; ++count) {
    const std::size_t length = in.u16();
    const Bytes datagram = in.take(length <= in.left() ? length : in.left());
    static_cast<void>(is_client_hello(datagram));
    static_cast<void>(session.on_datagram(datagram, Time{} + std::chrono::milliseconds(count * 200)));
    require(!session.open(datagram, room));  // nobody without the keys makes a record
  }
  static_cast<void>(session.on_deadline(Time{} + std::chrono::seconds(5)));
  // Without the keys nobody gets in, and nobody gets an established session out of its state.
  require((session.state() == DtlsState::kEstablished) == (fresh == nullptr));
  return 0;
}
