// Two ends of an established DTLS session, for tests of what comes after the handshake.
#pragma once

#include <memory>

#include "tests/unit/secure/dtls_world.hpp"

namespace hearthcast::datapath {

struct Established {
  std::unique_ptr<secure::DtlsSession> client;
  std::unique_ptr<secure::DtlsSession> server;

  static Established make() {
    secure::DtlsWorld world;
    world.handshake();
    return {std::make_unique<secure::DtlsSession>(std::move(world.client)),
            std::make_unique<secure::DtlsSession>(std::move(world.server))};
  }
};

inline Buffer seal(secure::DtlsSession& session, Bytes plaintext) {
  Buffer record(plaintext.size() + secure::kDtlsMaxOverhead);
  record.resize(session.seal(plaintext, record));
  return record;
}

}  // namespace hearthcast::datapath
