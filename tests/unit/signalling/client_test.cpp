#include "tunnelmgr/signalling/client.hpp"

#include <gmock/gmock.h>

#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::signalling {
namespace {

using namespace std::chrono_literals;
using testing::_;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::VariantWith;

struct FixedRandom final : Random {
  void fill(MutableBytes out) override { std::fill(out.begin(), out.end(), value); }
  std::uint8_t value = 0xff;
};

class ClientTest : public testing::Test {
 protected:
  template <class T>
  static const T* find(const ClientActions& actions) {
    for (const auto& action : actions) {
      if (const auto* found = std::get_if<T>(&action)) {
        return found;
      }
    }
    return nullptr;
  }
  template <class T>
  static std::vector<T> sent(const ClientActions& actions) {
    std::vector<T> messages;
    for (const auto& action : actions) {
      if (const auto* text = std::get_if<SendText>(&action)) {
        const auto message = decode_message(text->text);
        if (message && std::holds_alternative<T>(*message)) {
          messages.push_back(std::get<T>(*message));
        }
      }
    }
    return messages;
  }
  Client make(Role role) { return Client(role, identity, random, "test", t0); }
  ClientActions tell(Client& client, const Message& message, Time now) {
    return client.on_text(encode(message), now);
  }
  // From nothing to welcome.
  ClientActions join(Client& client, Time now) {
    EXPECT_THAT(client.on_deadline(now), ElementsAre(VariantWith<Connect>(_)));
    EXPECT_THAT(client.on_connected(server_key, now), IsEmpty());
    EXPECT_THAT(sent<Hello>(tell(client, Challenge{{}, "s"}, now)), testing::SizeIs(1));
    return tell(client, Welcome{{"u", "p", 3478, 20}, *Endpoint::parse("203.0.113.1:5")}, now);
  }

  secure::OpenSslCrypto crypto;
  secure::OpenSslIdentity identity = secure::make_identity();
  FixedRandom random;
  Sha256 server_key{{1, 2, 3}};
  const Time t0 = Time{} + 1h;
};

TEST_F(ClientTest, ConnectsProvesItsKeyAndJoins) {
  Client client = make(Role::kDevice);
  EXPECT_EQ(client.next_deadline(), t0);
  EXPECT_THAT(client.on_deadline(t0), ElementsAre(VariantWith<Connect>(_)));
  (void)client.on_connected(server_key, t0);
  Challenge challenge;
  challenge.nonce.fill(5);
  const auto hellos = sent<Hello>(tell(client, challenge, t0));
  ASSERT_THAT(hellos, testing::SizeIs(1));
  EXPECT_EQ(hellos[0].role, Role::kDevice);
  EXPECT_TRUE(crypto.verify(hellos[0].public_key, hello_signature_input(challenge.nonce, server_key),
                            hellos[0].signature));
  const auto actions = tell(client, Welcome{{"u", "p", 3478, 20}, *Endpoint::parse("203.0.113.1:5")}, t0);
  ASSERT_NE(find<Joined>(actions), nullptr);
  EXPECT_EQ(find<Joined>(actions)->presence.username, "u");
  EXPECT_EQ(client.state(), Client::State::kJoined);
  EXPECT_EQ(client.next_deadline(), kNever);
}

TEST_F(ClientTest, ASecondChallengeGetsNoSignature) {
  Client client = make(Role::kBox);
  (void)client.on_deadline(t0);
  (void)client.on_connected(server_key, t0);
  EXPECT_THAT(sent<Hello>(tell(client, Challenge{}, t0)), testing::SizeIs(1));
  EXPECT_THAT(tell(client, Challenge{}, t0), IsEmpty());
  EXPECT_EQ(client.bad_messages(), 1U);
}

TEST_F(ClientTest, AWelcomeWithoutHelloIsIgnored) {
  Client client = make(Role::kBox);
  (void)client.on_deadline(t0);
  (void)client.on_connected(server_key, t0);
  EXPECT_THAT(tell(client, Welcome{{"u", "p", 1, 1}, *Endpoint::parse("1.1.1.1:5")}, t0), IsEmpty());
  EXPECT_EQ(client.state(), Client::State::kGreeting);
}

TEST_F(ClientTest, BacksOffWithFullJitterUpToAMinuteAndStartsLowAfterAWelcome) {
  Client client = make(Role::kBox);
  Time now = t0;
  Duration limits[] = {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s};
  for (const Duration limit : limits) {
    (void)client.on_deadline(now);
    const auto actions = client.on_closed("refused", now);
    ASSERT_NE(find<Left>(actions), nullptr);
    EXPECT_EQ(find<Left>(actions)->reason, "refused");
    const Duration wait = client.next_deadline() - now;
    EXPECT_GT(wait, limit * 9 / 10);
    EXPECT_LE(wait, limit);
    now = client.next_deadline();
  }
  random.value = 0;
  (void)client.on_deadline(now);
  (void)client.on_closed("refused", now);
  EXPECT_EQ(client.next_deadline(), now);  // full jitter reaches down to zero
  random.value = 0xff;
  (void)join(client, now);
  EXPECT_EQ(client.last_error(), "");
  (void)client.on_closed("gone", now);
  EXPECT_LE(client.next_deadline() - now, 1s);
}

TEST_F(ClientTest, GivesUpOnASilentServer) {
  Client client = make(Role::kBox);
  (void)client.on_deadline(t0);
  (void)client.on_connected(server_key, t0);
  const auto actions = client.on_deadline(client.next_deadline());
  EXPECT_NE(find<Disconnect>(actions), nullptr);
  EXPECT_NE(find<Left>(actions), nullptr);
  EXPECT_EQ(client.state(), Client::State::kWaiting);
  EXPECT_THAT(client.on_closed("closed", client.next_deadline()), IsEmpty());
}

TEST_F(ClientTest, AReplacedBoxDoesNotFight) {
  Client client = make(Role::kBox);
  (void)join(client, t0);
  const auto actions = tell(client, Error{std::nullopt, ErrorCode::kReplaced, "another one"}, t0);
  EXPECT_NE(find<Disconnect>(actions), nullptr);
  EXPECT_EQ(find<Left>(actions)->reason, "another one");
  EXPECT_EQ(client.next_deadline(), t0 + 5min);
  (void)client.on_network_change(t0 + 1s);
  EXPECT_EQ(client.next_deadline(), t0 + 5min);
}

TEST_F(ClientTest, ABoxThatIsNotWantedAsksSeldomAndKnowsWhy) {
  for (const ErrorCode code : {ErrorCode::kNotEnrolled, ErrorCode::kClosed}) {
    Client client = make(Role::kBox);
    (void)client.on_deadline(t0);
    (void)client.on_connected(server_key, t0);
    (void)tell(client, Challenge{}, t0);
    const auto actions = tell(client, Error{std::nullopt, code, "not here"}, t0);
    ASSERT_NE(find<Left>(actions), nullptr);
    EXPECT_EQ(find<Left>(actions)->retry_at, t0 + 5min);
    EXPECT_EQ(client.refused(), code);
    EXPECT_EQ(client.last_error(), "not here");
    (void)client.on_network_change(t0 + 1s);
    EXPECT_EQ(client.next_deadline(), t0 + 5min);
    (void)join(client, t0 + 5min);
    EXPECT_FALSE(client.refused());
  }
}

TEST_F(ClientTest, TheTokenIsSaidWithEveryHello) {
  Client client = make(Role::kBox);
  client.set_enrolment("7K2M0");
  for (Time now = t0; now <= t0 + 2min; now = client.next_deadline()) {
    (void)client.on_deadline(now);
    (void)client.on_connected(server_key, now);
    const auto hellos = sent<Hello>(tell(client, Challenge{}, now));
    ASSERT_THAT(hellos, testing::SizeIs(1));
    EXPECT_EQ(hellos[0].enrolment, "7K2M0");
    (void)client.on_closed("gone", now);
  }
}

TEST_F(ClientTest, FromADrainedServerItStaysAwayAsLongAsItWasToldAndARandomPartMore) {
  for (const std::uint8_t chance : {std::uint8_t{0}, std::uint8_t{0xff}}) {
    random.value = chance;
    Client client = make(Role::kDevice);
    (void)join(client, t0);
    std::uint64_t request = 0;
    (void)client.introduce({}, Sealed{{1}, {2}}, {}, t0, request);
    const auto actions = tell(client, Error{std::nullopt, ErrorCode::kDraining, "restart", 30}, t0);
    EXPECT_NE(find<Disconnect>(actions), nullptr);
    EXPECT_NE(find<RequestFailed>(actions), nullptr) << "nobody waits for an answer that cannot come";
    EXPECT_GE(client.next_deadline(), t0 + 30s + (chance == 0 ? 0s : 29s));
    EXPECT_LE(client.next_deadline(), t0 + 60s);
    EXPECT_FALSE(client.refused());
    (void)client.on_deadline(client.next_deadline());
    EXPECT_EQ(client.state(), Client::State::kConnecting);
  }
}

TEST_F(ClientTest, AnErrorWhileGreetingEndsTheConnectionAndALaterOneDoesNot) {
  Client client = make(Role::kBox);
  (void)client.on_deadline(t0);
  (void)client.on_connected(server_key, t0);
  EXPECT_NE(find<Disconnect>(tell(client, Error{std::nullopt, ErrorCode::kBadSignature, ""}, t0)), nullptr);
  EXPECT_EQ(client.last_error(), "bad_signature");
  (void)join(client, client.next_deadline());
  EXPECT_THAT(tell(client, Error{std::nullopt, ErrorCode::kRate, "later"}, t0), IsEmpty());
  EXPECT_EQ(client.state(), Client::State::kJoined);
}

TEST_F(ClientTest, AListThatIsOutdatedIsItsOwnersAffair) {
  const Error old{std::nullopt, ErrorCode::kBadMessage, "old", std::nullopt, 77};
  Client box = make(Role::kBox);
  (void)join(box, t0);
  const auto actions = tell(box, old, t0);
  ASSERT_NE(find<ListOutdated>(actions), nullptr);
  EXPECT_EQ(find<ListOutdated>(actions)->revision, 77U);
  EXPECT_EQ(box.state(), Client::State::kJoined);
  Client device = make(Role::kDevice);
  (void)join(device, t0);
  EXPECT_THAT(tell(device, old, t0), IsEmpty()) << "it has no list";
}

TEST_F(ClientTest, ABoxSaysItsListAndWindowAfterEveryWelcome) {
  Client client = make(Role::kBox);
  EXPECT_THAT(client.set_allowed({identity.id()}, 4), IsEmpty());
  EXPECT_THAT(client.open_pairing("ABCD", t0 + 10min, t0), IsEmpty());
  auto actions = join(client, t0);
  auto lists = sent<Allow>(actions);
  ASSERT_THAT(lists, testing::SizeIs(1));
  EXPECT_TRUE(crypto.verify(identity.public_key(), allow_signature_input(lists[0]), lists[0].signature));
  EXPECT_EQ(sent<PairingWindow>(actions)[0], (PairingWindow{"ABCD", 600}));
  (void)client.on_closed("gone", t0 + 1min);
  actions = join(client, t0 + 2min);
  EXPECT_EQ(sent<Allow>(actions)[0], lists[0]);
  EXPECT_EQ(sent<PairingWindow>(actions)[0].seconds, 480U);
  EXPECT_EQ(sent<PairingWindow>(client.close_pairing())[0], PairingWindow{});
  EXPECT_THAT(client.close_pairing(), IsEmpty());
  (void)client.on_closed("gone", t0 + 3min);
  EXPECT_THAT(sent<PairingWindow>(join(client, t0 + 5min)), IsEmpty());
}

TEST_F(ClientTest, ABoxHandsOverWhatItIsAsked) {
  Client client = make(Role::kBox);
  (void)join(client, t0);
  const IntroduceOffer offer{9, {}, Buffer(91, 4), {1}, {2}, {}};
  EXPECT_EQ(find<IntroductionAsked>(tell(client, offer, t0))->offer, offer);
  EXPECT_EQ(find<PairingAsked>(tell(client, PairOffer{4, {}, "{}"}, t0))->offer.id, 4U);
  EXPECT_EQ(find<MappingSeen>(tell(client, Mapping{*Endpoint::parse("1.1.1.1:5")}, t0))->endpoint.port, 5);
  EXPECT_EQ(sent<IntroduceAnswer>(client.answer_introduction(9, {{1}, {2}}))[0].id, 9U);
  EXPECT_EQ(sent<IntroduceRefusal>(client.refuse_introduction(9, {{1}, {2}}))[0].id, 9U);
  EXPECT_EQ(sent<PairAnswer>(client.answer_pairing(4, "{}"))[0].id, 4U);
}

TEST_F(ClientTest, ADeviceIgnoresWhatOnlyBoxesAreAsked) {
  Client client = make(Role::kDevice);
  (void)join(client, t0);
  EXPECT_THAT(tell(client, IntroduceOffer{9, {}, Buffer(91, 4), {1}, {2}, {}}, t0), IsEmpty());
  EXPECT_THAT(tell(client, IntroduceAnswer{9, {1}, {2}, {}}, t0), IsEmpty());  // never asked
  EXPECT_EQ(client.bad_messages(), 2U);
}

TEST_F(ClientTest, EveryRequestEndsOnce) {
  Client client = make(Role::kDevice);
  (void)join(client, t0);
  std::uint64_t asked = 0;
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;
  std::uint64_t late = 0;
  std::uint64_t paired = 0;
  EXPECT_EQ(sent<IntroduceRequest>(client.introduce({}, {{1}, {2}}, {}, t0, asked))[0].id, asked);
  (void)client.introduce({}, {{1}, {2}}, {}, t0, refused);
  (void)client.introduce({}, {{1}, {2}}, {}, t0, failed);
  (void)client.pair(std::string("ABCD"), "{}", t0, paired);
  (void)client.introduce({}, {{1}, {2}}, {}, t0 + 1s, late);
  EXPECT_EQ(find<IntroductionAnswered>(tell(client, IntroduceAnswer{asked, {3}, {4}, {}}, t0))->id, asked);
  EXPECT_THAT(tell(client, IntroduceAnswer{asked, {3}, {4}, {}}, t0), IsEmpty());
  EXPECT_EQ(find<IntroductionAnswered>(tell(client, IntroduceRefusal{refused, {3}, {4}}, t0))->id, refused);
  EXPECT_EQ(find<RequestFailed>(tell(client, Error{failed, ErrorCode::kNotPresent, "x"}, t0))->code,
            ErrorCode::kNotPresent);
  EXPECT_EQ(find<PairingAnswered>(tell(client, PairAnswer{paired, "{}"}, t0))->id, paired);
  EXPECT_EQ(client.next_deadline(), t0 + 11s);
  const auto actions = client.on_deadline(t0 + 11s);
  EXPECT_EQ(find<RequestFailed>(actions)->id, late);
  EXPECT_EQ(client.state(), Client::State::kJoined);
}

TEST_F(ClientTest, RequestsFailWithTheConnection) {
  Client client = make(Role::kDevice);
  std::uint64_t id = 0;
  EXPECT_EQ(find<RequestFailed>(client.introduce({}, {{1}, {2}}, {}, t0, id))->id, id);
  (void)join(client, t0);
  (void)client.introduce({}, {{1}, {2}}, {}, t0, id);
  EXPECT_EQ(find<RequestFailed>(client.on_closed("gone", t0))->id, id);
}

TEST_F(ClientTest, ANetworkChangeReconnectsAtOnce) {
  Client client = make(Role::kDevice);
  (void)join(client, t0);
  const auto actions = client.on_network_change(t0 + 5s);
  EXPECT_NE(find<Disconnect>(actions), nullptr);
  EXPECT_EQ(client.next_deadline(), t0 + 5s);
}

TEST_F(ClientTest, GarbageIsCountedAndUnknownTypesAreNot) {
  Client client = make(Role::kDevice);
  (void)join(client, t0);
  EXPECT_THAT(client.on_text("{", t0), IsEmpty());
  EXPECT_THAT(client.on_text(R"({"type":"news"})", t0), IsEmpty());
  EXPECT_EQ(client.bad_messages(), 1U);
}

}  // namespace
}  // namespace hearthcast::signalling
