// Everything that a server can say, at every moment, to both roles: what is out of turn does nothing.
#include <gmock/gmock.h>

#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"
#include "tunnelmgr/signalling/client.hpp"

namespace hearthcast::signalling {
namespace {

using namespace std::chrono_literals;

enum class Moment { kBeforeConnecting, kConnecting, kConnected, kGreeted, kJoined };
constexpr Moment kMoments[] = {Moment::kBeforeConnecting, Moment::kConnecting, Moment::kConnected,
                               Moment::kGreeted, Moment::kJoined};
const char* words(Moment moment) {
  constexpr const char* kWords[] = {"before connecting", "connecting", "connected", "greeted", "joined"};
  return kWords[static_cast<std::size_t>(moment)];
}

const Endpoint kSomewhere = *Endpoint::parse("203.0.113.1:5");
const Time t0 = Time{} + 1h;

struct Said {
  const char* name;
  Message message;
  // What it brings about when it is in turn: a client action's name, or nothing.
  const char* box_joined = "";
  const char* device_joined = "";
};

// The ids are of no request, so that answers are out of turn for a device as well.
std::vector<Said> everything() {
  return {
      {"challenge", Challenge{}},
      {"welcome", Welcome{{"u", "p", 3478, 20}, kSomewhere}},
      {"mapping", Mapping{kSomewhere}, "mapping", "mapping"},
      {"moved", Moved{{}, {kSomewhere}}, "", "moved"},
      {"relay", RelayAccess{{"turn:relay"}, "u", "p", 1}, "relays", "relays"},
      {"offer", IntroduceOffer{9, {}, Buffer(91, 4), {1}, {2}, {}}, "introduction", ""},
      {"pair offer", PairOffer{4, {}, "{}"}, "pairing", ""},
      {"answer", IntroduceAnswer{77, {1}, {2}, {}}},
      {"refusal", IntroduceRefusal{77, {1}, {2}}},
      {"pair answer", PairAnswer{77, "{}"}},
      // What only clients say, thrown back at one.
      {"hello", Hello{Role::kBox, Buffer(91, 4), {1}, ""}},
      {"allow", Allow{{}, 1, {1}}},
      {"pairing window", PairingWindow{"7K2M", 60}},
      {"introduce", IntroduceRequest{1, {}, {1}, {2}, {}}},
      {"pair", PairRequest{1, std::string("7K2M"), "{}"}},
  };
}

const char* name_of(const ClientAction& action) {
  struct Name {
    const char* operator()(const Connect&) { return "connect"; }
    const char* operator()(const SendText&) { return "send"; }
    const char* operator()(const Disconnect&) { return "disconnect"; }
    const char* operator()(const Joined&) { return "joined"; }
    const char* operator()(const Left&) { return "left"; }
    const char* operator()(const MappingSeen&) { return "mapping"; }
    const char* operator()(const BoxMoved&) { return "moved"; }
    const char* operator()(const RelaysOffered&) { return "relays"; }
    const char* operator()(const IntroductionAsked&) { return "introduction"; }
    const char* operator()(const IntroductionAnswered&) { return "introduced"; }
    const char* operator()(const ListOutdated&) { return "outdated"; }
    const char* operator()(const PairingAsked&) { return "pairing"; }
    const char* operator()(const PairingAnswered&) { return "paired"; }
    const char* operator()(const RequestFailed&) { return "failed"; }
  };
  return std::visit(Name{}, action);
}

std::vector<std::string> names(const ClientActions& actions) {
  std::vector<std::string> all;
  for (const auto& action : actions) {
    all.emplace_back(name_of(action));
  }
  return all;
}

class ClientStates : public testing::TestWithParam<Role> {
 protected:
  Client at(Moment moment) {
    Client client(GetParam(), identity, random, "test", t0);
    const std::function<void()> steps[] = {
        [&] { (void)client.on_deadline(t0); },
        [&] { (void)client.on_connected({}, t0); },
        [&] { (void)client.on_text(encode(Challenge{}), t0); },
        [&] {
          (void)client.on_text(encode(Welcome{{"u", "p", 3478, 20}, kSomewhere}), t0);
        },
    };
    for (std::size_t step = 0; step < static_cast<std::size_t>(moment); ++step) {
      steps[step]();
    }
    EXPECT_EQ(client.bad_messages(), 0U);
    return client;
  }
  // What the message should do at the moment; nullopt: it is out of turn.
  static std::optional<std::string> due(const Said& said, Moment moment) {
    if (moment == Moment::kConnected && said.message == Message(Challenge{})) {
      return "send";
    }
    if (moment == Moment::kGreeted && std::holds_alternative<Welcome>(said.message)) {
      return "joined";
    }
    const std::string joined = GetParam() == Role::kBox ? said.box_joined : said.device_joined;
    return moment == Moment::kJoined && !joined.empty() ? std::optional(joined) : std::nullopt;
  }

  secure::OpenSslIdentity identity = secure::make_identity();
  secure::OpenSslRandom random;
};

TEST_P(ClientStates, WhatIsOutOfTurnDoesNothingAndIsCounted) {
  for (const Moment moment : kMoments) {
    const bool listening = moment >= Moment::kConnected;
    for (const Said& said : everything()) {
      SCOPED_TRACE(std::string(said.name) + " while " + words(moment));
      Client client = at(moment);
      const auto before = client.state();
      const auto actions = names(client.on_text(encode(said.message), t0));
      if (const auto expected = due(said, moment)) {
        EXPECT_THAT(actions, testing::ElementsAre(*expected));
        EXPECT_EQ(client.bad_messages(), 0U);
      } else {
        EXPECT_THAT(actions, testing::IsEmpty());
        EXPECT_EQ(client.state(), before);
        EXPECT_EQ(client.bad_messages(), listening ? 1U : 0U);
      }
    }
  }
}

TEST_P(ClientStates, AnErrorEndsWhatIsNotYetJoined) {
  for (const Moment moment : kMoments) {
    for (const ErrorCode code : {ErrorCode::kRate, ErrorCode::kBadSignature, ErrorCode::kReplaced,
                                 ErrorCode::kNotEnrolled, ErrorCode::kClosed, ErrorCode::kDraining}) {
      SCOPED_TRACE(std::string(to_string(code)) + " while " + words(moment));
      Client client = at(moment);
      const auto actions = names(client.on_text(encode(Error{std::nullopt, code, "why"}), t0));
      const bool listening = moment >= Moment::kConnected;
      const bool ends = code != ErrorCode::kRate && code != ErrorCode::kBadSignature;
      const bool fatal = listening && (moment != Moment::kJoined || ends);
      if (fatal) {
        EXPECT_THAT(actions, testing::ElementsAre("disconnect", "left"));
        EXPECT_EQ(client.state(), Client::State::kWaiting);
        EXPECT_EQ(client.last_error(), "why");
      } else {
        EXPECT_THAT(actions, testing::IsEmpty());
      }
      EXPECT_EQ(client.bad_messages(), 0U);
    }
  }
}

// An error about a request of nobody changes nothing, whatever its code says.
TEST_P(ClientStates, AnErrorOfAnUnknownRequestIsIgnored) {
  for (const Moment moment : kMoments) {
    Client client = at(moment);
    const auto before = client.state();
    EXPECT_THAT(client.on_text(encode(Error{77, ErrorCode::kReplaced, "x"}), t0), testing::IsEmpty());
    EXPECT_EQ(client.state(), before) << words(moment);
  }
}

TEST_P(ClientStates, TheEndOfTheConnectionIsTakenAtEveryMoment) {
  for (const Moment moment : kMoments) {
    Client client = at(moment);
    const auto actions = names(client.on_closed("gone", t0));
    if (moment == Moment::kBeforeConnecting) {
      EXPECT_THAT(actions, testing::IsEmpty());
    } else {
      EXPECT_THAT(actions, testing::ElementsAre("left")) << words(moment);
    }
    EXPECT_EQ(client.state(), Client::State::kWaiting);
    EXPECT_LE(client.next_deadline(), t0 + 1s);
  }
}

// A server that never gets to the welcome is given up, wherever it stops.
TEST_P(ClientStates, SilenceEndsEveryUnfinishedConnection) {
  for (const Moment moment : {Moment::kConnecting, Moment::kConnected, Moment::kGreeted}) {
    Client client = at(moment);
    EXPECT_THAT(client.on_deadline(t0 + 14s), testing::IsEmpty()) << words(moment);
    EXPECT_THAT(names(client.on_deadline(t0 + 15s)), testing::ElementsAre("disconnect", "left"))
        << words(moment);
  }
}

TEST_P(ClientStates, AChangeOfTheNetworkStartsAnewAtOnce) {
  for (const Moment moment : kMoments) {
    Client client = at(moment);
    const auto actions = names(client.on_network_change(t0));
    EXPECT_EQ(actions.empty(), moment == Moment::kBeforeConnecting) << words(moment);
    EXPECT_EQ(client.next_deadline(), t0) << words(moment);
    EXPECT_THAT(names(client.on_deadline(t0)), testing::ElementsAre("connect")) << words(moment);
  }
}

// What belongs to the connection before must not be taken for the present one's.
TEST_P(ClientStates, LateWordsOfTheFormerConnectionAreNotHeard) {
  Client client = at(Moment::kJoined);
  (void)client.on_network_change(t0);
  EXPECT_THAT(client.on_connected({}, t0), testing::IsEmpty());
  EXPECT_EQ(client.state(), Client::State::kWaiting);
  EXPECT_THAT(client.on_text(encode(Mapping{kSomewhere}), t0), testing::IsEmpty());
  (void)client.on_deadline(t0);
  EXPECT_THAT(client.on_text(encode(Mapping{kSomewhere}), t0), testing::IsEmpty());
  EXPECT_EQ(client.state(), Client::State::kConnecting);
}

INSTANTIATE_TEST_SUITE_P(Roles, ClientStates, testing::Values(Role::kBox, Role::kDevice),
                         [](const auto& role) { return role.param == Role::kBox ? "box" : "device"; });

}  // namespace
}  // namespace hearthcast::signalling
