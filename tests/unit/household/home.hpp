// A household in a scratch directory, with the tools that tests need.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "appliance/household/household.hpp"
#include "tests/unit/access/people.hpp"
#include "tests/unit/sqlite/scratch.hpp"
#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::household::testing_home {

class EventLog final : public Log {
 public:
  void write(Level, std::string_view event, std::initializer_list<Field>) override {
    events.emplace_back(event);
  }
  std::vector<std::string> events;
};

struct Home {
  Home() { open(); }
  void open() {
    household.reset();
    household =
        Household::open(scratch.path(), {crypto, random, box, log, {.memory_kib = 64, .passes = 1}}).value();
    household->set_card({"Home", std::nullopt, {*Endpoint::parse("192.0.2.1:8871")}});
  }
  // Until free_disk(), the database may not grow.
  void fill_disk() {
    auto& database = household->store().database();
    std::int64_t pages = 0;
    (void)database.query("PRAGMA page_count", {}, [&](const sqlite::Row& row) { pages = row.integer(0); });
    (void)database.run_script("PRAGMA max_page_count=" + std::to_string(pages));
    // Use up the free pages, so that the next row needs a new one.
    (void)database.run_script("CREATE TABLE IF NOT EXISTS filler (b BLOB)");
    while (database.run("INSERT INTO filler VALUES (zeroblob(3000))")) {
    }
    while (database.run("INSERT INTO filler VALUES (zeroblob(10))")) {
    }
  }
  void free_disk() { (void)household->store().database().run_script("PRAGMA max_page_count=1000000"); }

  ChannelId add_channel(const std::string& name, const char* group) {
    const auto result = household->import({{1, access::testing_people::listing(name, group, 5000)}});
    return *result.value().lines.at(0).channel;
  }
  signalling::PairingRequest request(const Identity& device, const std::string& name = "laptop") {
    const auto link = signalling::decode_link(household->desk().invitation()->link).value();
    return signalling::make_pairing_request(crypto, random, device, name,
                                            signalling::pairing_key(crypto, link.secret));
  }
  DeviceId pair(const Identity& device, const std::string& name = "laptop") {
    (void)household->open_pairing(now).value();
    (void)household->pair(signalling::encode(request(device, name)), now).value();
    return household->access().devices().find(device.id())->id;
  }

  testing_scratch::Scratch scratch;
  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  secure::OpenSslIdentity box = secure::make_identity();
  EventLog log;
  Time now = Time{} + std::chrono::hours{100};
  std::unique_ptr<Household> household;
};

}  // namespace hearthcast::household::testing_home
