// A given certificate that is renewed, on disk and as clients see it.
#include "rendezvous-server/api/certificate_watch.hpp"

#include <gmock/gmock.h>
#include <openssl/pem.h>

#include <fstream>

#include "tests/unit/rendezvous_api/hub_world.hpp"
#include "tunnelmgr/secure/certificate.hpp"
#include "tunnelmgr/secure/handles.hpp"

namespace hearthcast::rendezvous {
namespace {

using namespace std::chrono_literals;

struct RecordingLog final : Log {
  void write(Level, std::string_view event, std::initializer_list<Field>) override {
    events.emplace_back(event);
  }
  std::vector<std::string> events;
};

struct CertificateTest : HubTest {
  CertificateTest() { write(server_identity); }
  // Both files, as a client of a certificate authority leaves them.
  void write(const secure::OpenSslIdentity& identity) {
    write_chain(identity);
    write_key(identity);
  }
  void write_chain(const secure::OpenSslIdentity& identity) {
    FILE* const out = std::fopen(draft().c_str(), "w");
    ASSERT_EQ(PEM_write_X509(out, secure::make_certificate(identity, {}).get()), 1);
    std::fclose(out);
    std::filesystem::rename(draft(), chain());
  }
  void write_key(const secure::OpenSslIdentity& identity) {
    FILE* const out = std::fopen(draft().c_str(), "w");
    ASSERT_EQ(PEM_write_PKCS8PrivateKey(out, identity.key().get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
    std::fclose(out);
    std::filesystem::rename(draft(), key());
  }
  [[nodiscard]] std::filesystem::path draft() const { return folder / "draft.pem"; }
  [[nodiscard]] std::filesystem::path chain() const { return folder / "chain.pem"; }
  [[nodiscard]] std::filesystem::path key() const { return folder / "key.pem"; }
  void watch() {
    certificate.emplace(
        io, events, chain(), key(), [this](secure::TlsContext& tls) { hub->replace_tls(tls); }, 5ms);
  }
  ~CertificateTest() override { certificate.reset(); }

  RecordingLog events;
  std::optional<CertificateWatch> certificate;
};

TEST_F(CertificateTest, ARenewedOneIsShownToNewClientsAndOldSessionsStay) {
  open();
  join(box, Role::kBox);
  watch();
  const auto renewed = secure::make_identity();
  write(renewed);
  ASSERT_TRUE(turn_until(io, [&] { return hub->status().key == renewed.id().digest; }));
  EXPECT_THAT(events.events, testing::Contains("certificate_reloaded"));
  at.pin = renewed.id().digest;
  join(device, Role::kDevice);  // its hello is signed for the new key
  EXPECT_EQ(hub->status().boxes, 1U);
  EXPECT_EQ(box.find<Left>(), nullptr) << "nobody lost a session";
  box.link->set_allowed({device.identity.id()}, 1);
  ASSERT_TRUE(turn_until(io, [&] { return hub->status().known_boxes == 1; }));
  device.link->introduce(box.identity.id(), sealed(device, box));
  EXPECT_TRUE(wait_for<IntroductionAsked>(box)) << "and the old one still works";
}

TEST_F(CertificateTest, ABrokenOneIsToldOnceAndTheOldOneStays) {
  open();
  watch();
  std::ofstream(chain()) << "no certificate";
  ASSERT_TRUE(turn_until(io, [&] { return !events.events.empty(); }));
  const Time later = Clock::now() + 60ms;
  ASSERT_TRUE(turn_until(io, [&] { return Clock::now() > later; }));
  EXPECT_THAT(events.events, testing::ElementsAre("certificate_not_reloaded"));
  join(box, Role::kBox);
  EXPECT_EQ(hub->status().key, server_identity.id().digest);
}

TEST_F(CertificateTest, HalfARenewalWaitsForItsOtherHalf) {
  open();
  watch();
  const auto renewed = secure::make_identity();
  write_chain(renewed);  // its key comes later
  ASSERT_TRUE(turn_until(io, [&] { return !events.events.empty(); }));
  EXPECT_EQ(events.events.front(), "certificate_not_reloaded");
  EXPECT_EQ(hub->status().key, server_identity.id().digest);
  write_key(renewed);
  ASSERT_TRUE(turn_until(io, [&] { return hub->status().key == renewed.id().digest; }));
}

TEST_F(CertificateTest, AFileThatIsGoneForAMomentDoesNoHarm) {
  open();
  watch();
  std::filesystem::rename(key(), folder / "aside");
  ASSERT_TRUE(turn_until(io, [&] { return !events.events.empty(); }));
  std::filesystem::rename(folder / "aside", key());
  ASSERT_TRUE(turn_until(io, [&] { return events.events.size() == 2; }));
  EXPECT_THAT(events.events, testing::ElementsAre("certificate_not_reloaded", "certificate_reloaded"));
  EXPECT_EQ(hub->status().key, server_identity.id().digest);
}

TEST_F(CertificateTest, AfterTheStopNobodyLooks) {
  open();
  watch();
  certificate->stop();
  write(secure::make_identity());
  io.restart();
  io.run_for(30ms);
  EXPECT_THAT(events.events, testing::IsEmpty());
}

}  // namespace
}  // namespace hearthcast::rendezvous
