#include "tunnelmgr/nat/presence.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/nat/jitter.hpp"
#include "tunnelmgr/nat/responder.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::nat {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

struct PresenceTest : testing::Test {
  static const SendDatagram& request(const PresenceActions& actions) {
    return std::get<SendDatagram>(actions.back());
  }
  Buffer answer(const SendDatagram& to, const Endpoint& seen, std::string_view password = "secret") {
    wire::StunMessage m;
    m.message_class = wire::StunClass::kSuccess;
    m.transaction = wire::decode_stun(to.bytes)->transaction;
    m.xor_mapped_address = seen;
    return wire::encode_stun(m, crypto, as_bytes(password));
  }
  PresenceActions give(const Endpoint& from, const Buffer& bytes, Time now) {
    return presence.on_stun(from, bytes, *wire::decode_stun(bytes), now);
  }

  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  Presence presence{crypto, random};
  PresenceAccount account{*Endpoint::parse("192.0.2.1:3478"), "box 1", "secret", 20s};
  Endpoint mapped = *Endpoint::parse("198.51.100.7:4755");
  Endpoint moved = *Endpoint::parse("198.51.100.8:4755");
  Time t0{1h};
};

TEST_F(PresenceTest, QuietUntilThereIsAnAccount) {
  EXPECT_EQ(presence.next_deadline(), kNever);
  EXPECT_THAT(presence.on_deadline(t0), IsEmpty());
  EXPECT_THAT(presence.on_network_change(t0), IsEmpty());
}

TEST_F(PresenceTest, TheRequestIsSealedAndNoSmallerThanAnyAnswer) {
  const auto out = presence.start(account, t0);
  const auto& r = request(out);
  EXPECT_EQ(r.to, account.server);
  EXPECT_TRUE(wire::check_integrity(r.bytes, crypto, as_bytes("secret")));
  EXPECT_EQ(wire::decode_stun(r.bytes)->username, "box 1");
  EXPECT_GE(r.bytes.size(), answer(r, *Endpoint::parse("[2001:db8::1]:4755")).size());
}

TEST_F(PresenceTest, ReportsTheMappingOnFirstSightAndOnChange) {
  auto out = presence.start(account, t0);
  out = give(account.server, answer(request(out), mapped), t0 + 30ms);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(std::get<MappingChanged>(out[0]).mapped, mapped);
  const Time next = presence.next_deadline();
  EXPECT_GE(next, t0 + 16s);
  EXPECT_LE(next, t0 + 25s);
  out = presence.on_deadline(next);
  EXPECT_THAT(give(account.server, answer(request(out), mapped), next), IsEmpty());
  out = presence.on_network_change(next + 1s);
  out = give(account.server, answer(request(out), moved), next + 1s);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(presence.mapped(), moved);
}

TEST_F(PresenceTest, RepeatsAtDoublingTimesAndSaysOnceThatNobodyAnswers) {
  (void)presence.start(account, t0);
  std::vector<Duration> at;
  int lost = 0;
  for (int i = 0; i < 8; ++i) {
    const Time next = presence.next_deadline();
    at.push_back(next - t0);
    for (const auto& action : presence.on_deadline(next)) {
      lost += std::holds_alternative<PresenceLost>(action) ? 1 : 0;
    }
  }
  EXPECT_EQ(at[0], 500ms);
  EXPECT_EQ(at[1], 1500ms);
  EXPECT_EQ(at[2], 3500ms);
  EXPECT_EQ(at[3], 7500ms);
  EXPECT_GE(at[4] - at[3], 16s);
  EXPECT_EQ(lost, 1);
}

TEST_F(PresenceTest, BusyItAsksTwiceASecondAndIdleAgainTenTimesAMinuteAtMost) {
  auto out = presence.start(account, t0);
  (void)give(account.server, answer(request(out), mapped), t0);
  presence.set_busy(true, t0 + 1s);
  Time now = t0 + 1s;
  for (int i = 0; i < 20; ++i) {
    const Time next = presence.next_deadline();
    EXPECT_LE(next - now, 600ms);
    EXPECT_GE(next - now, 400ms);
    now = next;
    out = presence.on_deadline(now);
    (void)give(account.server, answer(request(out), mapped), now);
  }
  presence.set_busy(false, now);
  now = presence.next_deadline();
  out = presence.on_deadline(now);
  (void)give(account.server, answer(request(out), mapped), now);
  EXPECT_GE(presence.next_deadline() - now, 16s);
}

TEST_F(PresenceTest, BusyAndUnheardItKeepsAskingTwiceASecondThenEveryFive) {
  auto out = presence.start(account, t0);
  presence.set_busy(true, t0);
  Time now = t0;
  int lost = 0;
  for (int i = 0; i < 12; ++i) {
    const Time next = presence.next_deadline();
    EXPECT_LE(next - now, i < Presence::kUnansweredLimit ? 600ms : 6s) << i;
    now = next;
    for (const auto& action : presence.on_deadline(now)) {
      lost += std::holds_alternative<PresenceLost>(action) ? 1 : 0;
    }
  }
  EXPECT_EQ(lost, 1);
  presence.stop();
  presence.set_busy(false, now);
  presence.set_busy(true, now);
  EXPECT_EQ(presence.next_deadline(), kNever) << "without an account there is nobody to ask";
}

TEST_F(PresenceTest, ForgedAnswersAreCounted) {
  const auto out = presence.start(account, t0);
  EXPECT_THAT(give(account.server, answer(request(out), moved, "guess"), t0), IsEmpty());
  EXPECT_THAT(give(moved, answer(request(out), moved), t0), IsEmpty());  // from elsewhere
  EXPECT_EQ(presence.bad_answers(), 2U);
  EXPECT_FALSE(presence.mapped());
}

struct KnockTest : PresenceTest {
  wire::StunMessage knock() {
    wire::StunMessage m;
    m.transaction.fill(5);
    m.username = account.username;
    m.xor_peer_addresses = {moved};
    m.data = Buffer(device.digest.begin(), device.digest.end());
    return m;
  }
  PresenceActions take(const wire::StunMessage& message, std::string_view password = "secret") {
    const Buffer bytes = wire::encode_stun(message, crypto, as_bytes(password));
    const auto decoded = wire::decode_stun(bytes);
    EXPECT_TRUE(presence.is_knock(account.server, *decoded));
    return presence.on_knock(bytes, *decoded, t0);
  }
  void SetUp() override { (void)presence.start(account, t0); }
  IdentityId device{{1, 2, 3}};
};

TEST_F(KnockTest, SaysWhereADeviceIsAndIsAnsweredBySmallerOnes) {
  const auto out = take(knock());
  ASSERT_EQ(out.size(), 2U);
  const auto& answer = std::get<SendDatagram>(out[0]);
  EXPECT_EQ(answer.to, account.server);
  EXPECT_LT(answer.bytes.size(), wire::encode_stun(knock(), crypto, as_bytes("secret")).size());
  EXPECT_TRUE(wire::check_integrity(answer.bytes, crypto, as_bytes("secret")));
  EXPECT_EQ(wire::decode_stun(answer.bytes)->transaction, knock().transaction);
  EXPECT_EQ(std::get<Knocked>(out[1]).device, device);
  EXPECT_EQ(std::get<Knocked>(out[1]).at, std::vector{moved});
}

TEST_F(KnockTest, IsTheRendezvousOwnOrNothing) {
  const auto decoded = wire::decode_stun(wire::encode_stun(knock(), crypto, as_bytes("secret")));
  EXPECT_FALSE(presence.is_knock(moved, *decoded)) << "from elsewhere";
  EXPECT_THAT(take(knock(), "guess"), IsEmpty());
  auto bad = knock();
  bad.data = Buffer(31);
  EXPECT_THAT(take(bad), IsEmpty());
  bad = knock();
  bad.xor_peer_addresses.clear();
  EXPECT_THAT(take(bad), IsEmpty());
  bad = knock();
  bad.username = "somebody else";
  EXPECT_FALSE(presence.is_knock(account.server,
                                 *wire::decode_stun(wire::encode_stun(bad, crypto, as_bytes("secret")))));
}

TEST_F(KnockTest, TooManyAreAnsweredOnly) {
  std::size_t meant = 0;
  for (int n = 0; n < 100; ++n) {
    meant += take(knock()).size() - 1;
  }
  EXPECT_EQ(meant, static_cast<std::size_t>(Presence::kMostKnocks));
}

TEST_F(PresenceTest, StopIsQuiet) {
  const auto out = presence.start(account, t0);
  presence.stop();
  EXPECT_EQ(presence.next_deadline(), kNever);
  EXPECT_FALSE(presence.expects(wire::decode_stun(request(out).bytes)->transaction));
}

TEST_F(PresenceTest, JitterStaysWithinAFifth) {
  for (int i = 0; i < 1000; ++i) {
    const Duration d = jittered(20s, random);
    EXPECT_GE(d, 16s);
    EXPECT_LE(d, 24s);
  }
}

TEST_F(PresenceTest, TheResponderFindsTheAgentOfEachDevice) {
  const auto one = standing_credentials(crypto, as_bytes("1"), {}, {});
  const auto two = standing_credentials(crypto, as_bytes("2"), {}, {});
  Agent first(Role::kControlled, one.box, one.device, crypto, random);
  Agent second(Role::kControlled, two.box, two.device, crypto, random);
  Responder responder;
  responder.add(first);
  responder.add(second);
  wire::StunMessage m;
  m.username = two.box.ufrag + ":" + two.device.ufrag;
  EXPECT_EQ(responder.find(m), &second);
  m.username = one.box.ufrag;
  EXPECT_EQ(responder.find(m), &first);
  const auto out = second.on_candidates({{CandidateType::kHost, mapped}}, t0);
  wire::StunMessage response;
  response.message_class = wire::StunClass::kSuccess;
  response.transaction = wire::decode_stun(std::get<SendDatagram>(out.at(0)).bytes)->transaction;
  EXPECT_EQ(responder.find(response), &second);
  responder.remove(second);
  EXPECT_EQ(responder.find(response), nullptr);
  m.username = two.device.ufrag + ":" + two.box.ufrag;
  EXPECT_EQ(responder.find(m), nullptr);
  m.username.reset();
  EXPECT_EQ(responder.find(m), nullptr);
  EXPECT_EQ(responder.unknown(), 3U);
}

}  // namespace
}  // namespace hearthcast::nat
