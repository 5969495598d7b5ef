// A rendezvous on loopback with a box and a device that join it as SignallingLinks.
#pragma once

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "rendezvous-server/api/hub.hpp"
#include "tests/unit/http/loopback.hpp"
#include "tunnelmgr/http/signalling_link.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::rendezvous {

using http::QuietLog;
using http::SignallingLink;
using http::turn_until;
using namespace signalling;  // NOLINT: a header of tests, whose every line speaks of it

struct End {
  secure::OpenSslIdentity identity = secure::make_identity();
  std::vector<ClientAction> events;
  std::unique_ptr<SignallingLink> link;

  template <class T>
  const T* find() const {
    for (const auto& event : events) {
      if (const auto* found = std::get_if<T>(&event)) {
        return found;
      }
    }
    return nullptr;
  }
};

struct HubTest : testing::Test {
  HubTest() {
    std::string name = testing::TempDir() + "hearthcast-hub-XXXXXX";
    folder = ::mkdtemp(name.data());
    settings.listen = *Endpoint::parse("127.0.0.1:0");
    settings.presence = *Endpoint::parse("127.0.0.1:0");
    settings.database = folder / "rendezvous.db";
    settings.control_socket = (folder / "control.sock").string();
  }
  ~HubTest() override {
    box.link.reset();
    device.link.reset();
    if (hub) {
      hub->stop();
    }
    io.restart();
    io.run();  // whatever ends now, ends: nothing may be left pending
    hub.reset();
    std::filesystem::remove_all(folder);
  }
  void open() {
    auto opened = Hub::open(io, log, crypto, random, *secure::TlsContext::server(server_identity), settings);
    ASSERT_TRUE(opened) << opened.error().text;
    hub = std::move(*opened);
    settings.listen = hub->listening();  // a restarted one is found at the same place
    at = RendezvousAddress{"wss://" + hub->listening().to_string(), server_identity.id().digest};
  }
  void join(End& end, Role role) {
    auto made = SignallingLink::make(io, log, role, end.identity, random, at,
                                     [&end](ClientAction event) { end.events.push_back(std::move(event)); });
    ASSERT_TRUE(made) << made.error().text;
    end.link = std::move(*made);
    end.link->start();
    ASSERT_TRUE(turn_until(io, [&] { return end.find<Joined>() != nullptr; }));
  }
  Sealed sealed(const End& from, const End& to) {
    Introduction i;
    i.from = from.identity.id();
    i.to = to.identity.id();
    return seal(from.identity, i);
  }
  template <class T>
  bool wait_for(End& end) {
    return turn_until(io, [&] { return end.find<T>() != nullptr; });
  }

  boost::asio::io_context io;
  QuietLog log;
  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  secure::OpenSslIdentity server_identity = secure::make_identity();
  std::filesystem::path folder;
  HubSettings settings;
  RendezvousAddress at;
  std::unique_ptr<Hub> hub;
  End box;
  End device;
};

}  // namespace hearthcast::rendezvous
