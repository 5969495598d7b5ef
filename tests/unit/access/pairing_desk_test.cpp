#include "appliance/access/pairing_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::access {
namespace {

using namespace std::chrono_literals;
using signalling::PairingRefusal;
using signalling::PairingRequest;
using testing::HasSubstr;
using State = PairingDesk::State;

class PairingDeskTest : public testing::Test {
 protected:
  void open() {
    ASSERT_TRUE(desk.open(card, now));
    link = signalling::decode_link(desk.invitation()->link).value();
    code = signalling::decode_code(desk.invitation()->code).value();
  }
  PairingRequest request_with(Bytes secret) {
    return signalling::make_pairing_request(crypto, random, device, "laptop",
                                            signalling::pairing_key(crypto, secret));
  }
  PairingRequest good() { return request_with(link.secret); }
  PairingRequest wrong() { return request_with(Buffer(16, 0x55)); }
  // The refusal's code, or empty when accepted.
  std::string judge(const PairingRequest& request) {
    const auto verdict = desk.judge(request, card, now);
    const auto* refused = std::get_if<PairingRefusal>(&verdict);
    if (refused != nullptr) {
      EXPECT_GT(refused->text.size(), 20U);
    }
    return refused == nullptr ? "" : std::string(to_string(refused->code));
  }
  void use(const PairingRequest& request) {
    const auto verdict = desk.judge(request, card, now);
    desk.settle(request, std::get<PairingDesk::Accepted>(verdict), DeviceId{7});
  }

  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  secure::OpenSslIdentity box = secure::make_identity();
  secure::OpenSslIdentity device = secure::make_identity();
  PairingDesk desk{crypto, random, box};
  BoxCard card{"Home",
               signalling::RendezvousAddress{"wss://r.example/v1", std::nullopt},
               {*Endpoint::parse("192.0.2.1:8871")}};
  Time now = Time{} + 100h;
  signalling::PairingLink link;
  signalling::PairingCode code;
};

TEST_F(PairingDeskTest, LinkAndCodeNameTheBoxAndHaveSecretsOfTheirOwn) {
  open();
  EXPECT_EQ(link.box, box.id());
  EXPECT_EQ(link.addresses, card.addresses);
  EXPECT_EQ(link.rendezvous, card.rendezvous);
  EXPECT_EQ(code.locator, desk.invitation()->locator);
  EXPECT_FALSE(equal(Bytes(link.secret).first(10), code.secret));
  const auto first = link.secret;
  open();
  EXPECT_NE(link.secret, first);
}

TEST_F(PairingDeskTest, TheSecretOfTheLinkOpens) {
  open();
  const auto request = good();
  const auto verdict = desk.judge(request, card, now);
  const auto& accepted = std::get<PairingDesk::Accepted>(verdict);
  EXPECT_EQ(accepted.identity, device.id());
  EXPECT_TRUE(equal(accepted.public_key, device.public_key()));
  EXPECT_EQ(accepted.name, "laptop");
  EXPECT_FALSE(accepted.repeated);
  EXPECT_TRUE(
      signalling::proves(crypto, accepted.answer, request, signalling::pairing_key(crypto, link.secret)));
  EXPECT_TRUE(equal(accepted.answer.public_key, box.public_key()));
  EXPECT_EQ(accepted.answer.name, "Home");
  EXPECT_EQ(accepted.answer.addresses, card.addresses);
}

TEST_F(PairingDeskTest, TheSecretOfTheCodeOpens) {
  open();
  const auto request = request_with(code.secret);
  const auto verdict = desk.judge(request, card, now);
  ASSERT_TRUE(std::holds_alternative<PairingDesk::Accepted>(verdict));
  EXPECT_TRUE(signalling::proves(crypto, std::get<PairingDesk::Accepted>(verdict).answer, request,
                                 signalling::pairing_key(crypto, code.secret)));
}

TEST_F(PairingDeskTest, WorksOnce) {
  open();
  use(good());
  EXPECT_EQ(desk.newest()->state, State::kUsed);
  EXPECT_EQ(desk.newest()->device, DeviceId{7});
  EXPECT_EQ(desk.invitation(), nullptr);
  EXPECT_EQ(judge(good()), "used");  // another nonce: another request
}

TEST_F(PairingDeskTest, AnAcceptanceThatCouldNotBeStoredCostsNothing) {
  open();
  EXPECT_EQ(judge(good()), "");
  EXPECT_EQ(desk.newest()->state, State::kOpen);
  EXPECT_EQ(judge(good()), "");
}

TEST_F(PairingDeskTest, ARepeatedRequestGetsTheSameAnswerUntilTheWindowWouldHaveClosed) {
  open();
  const auto request = good();
  use(request);
  const auto again = desk.judge(request, card, now + 5min);
  EXPECT_TRUE(std::get<PairingDesk::Accepted>(again).repeated);
  EXPECT_TRUE(signalling::proves(crypto, std::get<PairingDesk::Accepted>(again).answer, request,
                                 signalling::pairing_key(crypto, link.secret)));
  now += 10min;
  EXPECT_EQ(judge(request), "used");
}

TEST_F(PairingDeskTest, FiveWrongTriesCloseIt) {
  open();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(judge(wrong()), "wrong_code");
  }
  EXPECT_EQ(desk.newest()->tries_left, 1);
  EXPECT_EQ(judge(wrong()), "too_many_tries");
  EXPECT_EQ(judge(good()), "too_many_tries");
  EXPECT_EQ(desk.newest()->state, State::kTooManyTries);
  open();
  EXPECT_EQ(judge(good()), "");
}

TEST_F(PairingDeskTest, AChangedRequestProvesNothing) {
  open();
  PairingRequest request = good();
  request.name = "other";
  EXPECT_EQ(judge(request), "wrong_code");
  request = good();
  const auto stranger = secure::make_identity();
  request.public_key.assign(stranger.public_key().begin(), stranger.public_key().end());
  EXPECT_EQ(judge(request), "wrong_code");
}

TEST_F(PairingDeskTest, AKeyThatIsNoKeyIsRefusedEvenWithTheSecret) {
  class Impostor final : public Identity {
   public:
    Bytes public_key() const override { return key_; }
    IdentityId id() const override { return {}; }
    Buffer sign(Bytes) const override { return {}; }
    std::optional<Buffer> agree(Bytes) const override { return std::nullopt; }

   private:
    Buffer key_ = Buffer(91, 0x30);
  } impostor;
  open();
  EXPECT_EQ(judge(signalling::make_pairing_request(crypto, random, impostor, "laptop",
                                                   signalling::pairing_key(crypto, link.secret))),
            "wrong_code");
  EXPECT_EQ(desk.newest()->tries_left, 4);
}

TEST_F(PairingDeskTest, ClosesAfterTenMinutes) {
  open();
  EXPECT_EQ(desk.next_deadline(), now + 10min);
  now += 10min - 1ns;
  EXPECT_EQ(judge(good()), "");
  now += 1ns;
  EXPECT_EQ(judge(good()), "expired");
  EXPECT_EQ(desk.newest()->state, State::kExpired);
  EXPECT_EQ(desk.next_deadline(), kNever);
}

TEST_F(PairingDeskTest, WithoutWindowNothingOpens) {
  EXPECT_EQ(judge(wrong()), "no_window");
  open();
  const auto id = desk.newest()->id;
  EXPECT_FALSE(desk.close(id + 1, now));
  EXPECT_TRUE(desk.close(id, now));
  EXPECT_FALSE(desk.close(id, now));
  EXPECT_EQ(judge(good()), "no_window");
}

TEST_F(PairingDeskTest, ANewWindowEndsTheFormer) {
  open();
  const auto old = good();
  const auto id = desk.newest()->id;
  open();
  EXPECT_GT(desk.newest()->id, id);
  EXPECT_EQ(judge(old), "wrong_code");
}

TEST_F(PairingDeskTest, TwentyWindowsAnHour) {
  const Time first = now;
  for (int i = 0; i < 20; ++i, now += 1min) {
    ASSERT_TRUE(desk.open(card, now));
  }
  const auto refused = desk.open(card, now);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("Too many"));
  EXPECT_EQ(desk.newest()->state, State::kOpen);  // the former one stays
  EXPECT_TRUE(desk.open(card, first + 1h));
}

TEST_F(PairingDeskTest, ABoxOfManyAddressesTellsTheLikeliestOnly) {
  card.addresses.clear();
  for (std::uint32_t n = 1; n <= 40; ++n) {  // containers and privacy addresses add up
    card.addresses.push_back({IpAddress::ip4(0x0a000000 + n), 8871});
  }
  open();
  EXPECT_EQ(link.addresses.size(), signalling::kMaxLinkAddresses);
  const auto accepted = std::get<PairingDesk::Accepted>(desk.judge(good(), card, now));
  const auto reply = signalling::decode_pairing_reply(signalling::encode(accepted.answer));
  ASSERT_TRUE(reply) << "a device takes no longer list, and the pairing would be used up";
  const auto& answer = std::get<signalling::PairingAnswer>(*reply);
  EXPECT_EQ(answer.addresses.size(), signalling::kMaxLinkAddresses);
  EXPECT_EQ(answer.addresses.front(), card.addresses.front());
}

}  // namespace
}  // namespace hearthcast::access
