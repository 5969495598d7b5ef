// Boxes whose WebSocket broke and whose presence goes on.
#include <gtest/gtest.h>

#include "tests/unit/introduce/service_fixture.hpp"

namespace hearthcast::rendezvous {
namespace {

class QuietBoxTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    join(box);
    join(device, "203.0.113.9:50000");
    allow(box, {device.identity.id()});
    const auto welcome = heard<signalling::Welcome>(box);
    ASSERT_TRUE(welcome);
    box_presence = welcome->presence;
    device_presence = heard<signalling::Welcome>(device)->presence;
    perform(service().on_presence(box_presence.username, box_at, now));
    perform(service().on_presence(device_presence.username, device_at, now));
    (void)heard<signalling::Moved>(device);
  }
  void ask(std::vector<Endpoint> relayed = {}) {
    say(device, signalling::IntroduceRequest{7, box.identity.id(), as_buffer("payload"), Buffer(64),
                                             std::move(relayed)});
  }
  static Buffer as_buffer(std::string_view text) { return {text.begin(), text.end()}; }
  Buffer answer(const Buffer& knock) {
    wire::StunMessage m;
    m.message_class = wire::StunClass::kSuccess;
    m.transaction = wire::decode_stun(knock)->transaction;
    m.xor_mapped_address = box_at;
    return wire::encode_stun(m, crypto, as_bytes(box_presence.password));
  }
  void run_until(Time end) {
    while (service().next_deadline() <= end) {
      now = std::max(now, service().next_deadline());
      perform(service().on_deadline(now));
    }
    now = end;
  }
  signalling::PresenceAccess box_presence;
  signalling::PresenceAccess device_presence;
  const Endpoint box_at = *Endpoint::parse("198.51.100.2:4755");
  const Endpoint device_at = *Endpoint::parse("192.0.2.2:40000");
  const std::vector<Endpoint> relays{*Endpoint::parse("203.0.113.20:49152"),
                                     *Endpoint::parse("[2001:db8:ffff:ffff:ffff:ffff:ffff:20]:49152")};
};

TEST_F(QuietBoxTest, EachEndIsToldWhereTheOtherWasSeen) {
  service().on_closed(box.session, now);
  ask();
  ASSERT_EQ(datagrams.size(), 1U);
  EXPECT_EQ(datagrams[0].to, box_at);
  const auto knock = wire::decode_stun(datagrams[0].bytes);
  ASSERT_TRUE(knock);
  EXPECT_TRUE(wire::check_integrity(datagrams[0].bytes, crypto, as_bytes(box_presence.password)));
  EXPECT_EQ(knock->username, box_presence.username);
  EXPECT_EQ(knock->xor_peer_addresses, std::vector{device_at});
  EXPECT_TRUE(std::ranges::equal(*knock->data, device.identity.id().digest));
  const auto moved = heard<signalling::Moved>(device);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->endpoints, std::vector{box_at});
  EXPECT_EQ(error_for(device), signalling::ErrorCode::kNotPresent) << "nothing signed will come";
  EXPECT_EQ(service().counters().knocks, 1U);
}

TEST_F(QuietBoxTest, IsKnockedAtAgainUntilItAnswers) {
  service().on_closed(box.session, now);
  ask();
  run_until(now + 600ms);
  ASSERT_EQ(datagrams.size(), 2U);
  EXPECT_EQ(datagrams[0].bytes, datagrams[1].bytes);
  EXPECT_FALSE(service().on_answer(as_bytes("something else")));
  Buffer forged = answer(datagrams[0].bytes);
  forged.back() ^= 1;
  EXPECT_FALSE(service().on_answer(forged));
  EXPECT_TRUE(service().on_answer(answer(datagrams[0].bytes)));
  run_until(now + 30s);
  EXPECT_EQ(datagrams.size(), 2U);
}

TEST_F(QuietBoxTest, IsToldOfTheDevicesRelayToo) {
  service().on_closed(box.session, now);
  ask(relays);
  ASSERT_EQ(datagrams.size(), 1U);
  EXPECT_EQ(wire::decode_stun(datagrams[0].bytes)->xor_peer_addresses,
            (std::vector{device_at, relays[0], relays[1]}));
}

TEST_F(QuietBoxTest, OneThatDoesNotAnswerIsLeftAfterFourOfThem) {
  service().on_closed(box.session, now);
  ask(relays);
  run_until(now + 30s);
  EXPECT_EQ(datagrams.size(), static_cast<std::size_t>(QuietBoxes::kTries));
  std::size_t out = 0;
  for (const auto& datagram : datagrams) {
    out += datagram.bytes.size();
  }
  const auto asked = signalling::encode(signalling::IntroduceRequest{
      7, box.identity.id(), Buffer(400), Buffer(64), relays});  // no real one is smaller
  EXPECT_LT(out, asked.size()) << "what one datagram of a device makes of it is no more than that";
}

TEST_F(QuietBoxTest, IsHereForAsLongAsItsPresenceIs) {
  service().on_closed(box.session, now);
  for (int n = 0; n < 20; ++n) {
    run_until(now + 20s);
    ASSERT_NE(service().presence_password(box_presence.username), nullptr) << n;
    perform(service().on_presence(box_presence.username, box_at, now));
  }
  ask();
  EXPECT_EQ(datagrams.size(), 1U);
  run_until(now + QuietBoxes::kPatience + 1s);
  EXPECT_EQ(service().presence_password(box_presence.username), nullptr);
  datagrams.clear();
  ask();
  EXPECT_TRUE(datagrams.empty());
  EXPECT_EQ(error_for(device), signalling::ErrorCode::kNotPresent);
}

TEST_F(QuietBoxTest, ItsNewestMappingCounts) {
  service().on_closed(box.session, now);
  const Endpoint other = *Endpoint::parse("198.51.100.3:4755");
  perform(service().on_presence(box_presence.username, other, now));
  ask();
  ASSERT_EQ(datagrams.size(), 1U);
  EXPECT_EQ(datagrams[0].to, other);
}

TEST_F(QuietBoxTest, OneThatWasNeverHeardOfByUdpIsGone) {
  Party silent{{}, Role::kBox};
  join(silent);
  allow(silent, {device.identity.id()});
  service().on_closed(silent.session, now);
  say(device, signalling::IntroduceRequest{8, silent.identity.id(), Buffer(8), Buffer(64), {}});
  EXPECT_TRUE(datagrams.empty());
}

TEST_F(QuietBoxTest, StrangersCannotHaveItKnockedAt) {
  service().on_closed(box.session, now);
  Party stranger{{}, Role::kDevice};
  join(stranger, "203.0.113.77:50000");
  say(stranger, signalling::IntroduceRequest{9, box.identity.id(), Buffer(8), Buffer(64), {}});
  EXPECT_TRUE(datagrams.empty());
  EXPECT_EQ(error_for(stranger), signalling::ErrorCode::kNotAllowed);
}

TEST_F(QuietBoxTest, OneThatIsBackIsIntroducedAsEver) {
  service().on_closed(box.session, now);
  join(box);
  ask();
  EXPECT_TRUE(datagrams.empty());
  EXPECT_TRUE(heard<signalling::IntroduceOffer>(box));
}

TEST_F(QuietBoxTest, OneThatTheServiceSentAwayIsNotHere) {
  perform(service().drain(1s, 30, now));
  run_until(now + 2s);
  EXPECT_EQ(service().presence_password(box_presence.username), nullptr);
}

}  // namespace
}  // namespace hearthcast::rendezvous
