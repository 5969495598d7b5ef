// Handshakes of DtlsSession: who is accepted, and what a bad network may do to it.
#include <gmock/gmock.h>

#include "tests/unit/secure/dtls_world.hpp"
#include "tunnelmgr/secure/dtls_record.hpp"

namespace hearthcast::secure {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(DtlsHandshake, TakesFourDatagramsOnAGoodPath) {
  DtlsWorld world;
  world.handshake();
  EXPECT_TRUE(world.both_established()) << world.client.reason() << world.server.reason();
  EXPECT_EQ(world.datagrams, 4U);  // each flight is one datagram: repeating it octet for octet rests on that
  EXPECT_LE(world.largest, kDtlsMtu);
  EXPECT_EQ(world.client.cipher(), world.server.cipher());
  EXPECT_EQ(world.client.next_deadline(), kNever);
  EXPECT_EQ(world.server.next_deadline(), kNever);
}

TEST(DtlsHandshake, SucceedsThroughLossDuplicatesAndReordering) {
  const OpenSslIdentity away = make_identity();
  const OpenSslIdentity home = make_identity();
  for (unsigned seed = 0; seed < 60; ++seed) {
    DtlsWorld world(away, home);
    world.handshake({.loss = 0.2, .duplicate = 0.1, .reorder = 0.2}, seed);
    EXPECT_TRUE(world.both_established()) << seed << world.client.reason() << world.server.reason();
    EXPECT_LE(world.now - Time{}, 15s) << seed;
  }
}

TEST(DtlsHandshake, GivesUpWhenNobodyAnswers) {
  DtlsWorld world;
  world.handshake({.loss = 1});
  for (const DtlsSession* side : {&world.client, &world.server}) {
    EXPECT_EQ(side->state(), DtlsState::kFailed);
    EXPECT_THAT(side->reason(), HasSubstr("no answer"));
    EXPECT_FALSE(side->wrong_key());
  }
  EXPECT_EQ(world.now - Time{}, 20s);
}

TEST(DtlsHandshake, ClientRefusesAnotherBox) {
  const OpenSslIdentity away = make_identity();
  DtlsWorld world(away, make_identity(), make_identity().id(), away.id());
  world.handshake();
  EXPECT_EQ(world.client.state(), DtlsState::kFailed);
  EXPECT_TRUE(world.client.wrong_key());
  EXPECT_THAT(world.client.reason(), HasSubstr("not the one that was paired"));
  EXPECT_EQ(world.server.state(), DtlsState::kFailed);  // told by an alert, not by a timeout
  EXPECT_EQ(world.now, Time{});
}

TEST(DtlsHandshake, BoxRefusesAnotherDevice) {
  const OpenSslIdentity home = make_identity();
  DtlsWorld world(make_identity(), home, home.id(), make_identity().id());
  world.handshake();
  EXPECT_EQ(world.server.state(), DtlsState::kFailed);
  EXPECT_TRUE(world.server.wrong_key());
  EXPECT_NE(world.client.state(), DtlsState::kEstablished);
}

// The server is done when it has sent its last flight; when that is lost, only the client notices.
TEST(DtlsHandshake, EstablishedServerAnswersARepeatedLastFlight) {
  DtlsWorld world;
  const Time t{};
  static_cast<void>(world.server.start(t));
  auto flight = world.server.on_datagram(world.client.start(t).at(0), t);
  const auto last_of_client = world.client.on_datagram(flight.at(0), t);
  const auto lost = world.server.on_datagram(last_of_client.at(0), t);
  ASSERT_EQ(world.server.state(), DtlsState::kEstablished);
  ASSERT_EQ(world.client.state(), DtlsState::kHandshaking);
  const auto repeated = world.client.on_deadline(world.client.next_deadline());
  ASSERT_EQ(repeated, last_of_client);
  const Bytes small = Bytes(repeated.at(0)).first(kDtlsRecordHeader + 1);
  EXPECT_TRUE(world.server.on_datagram(small, t).empty()) << "the answer would be larger than the question";
  const auto again = world.server.on_datagram(repeated.at(0), t);
  EXPECT_EQ(again, lost);
  EXPECT_TRUE(world.server.on_datagram(repeated.at(0), t + 99ms).empty())
      << "not more often than ten a second";
  EXPECT_FALSE(world.server.on_datagram(repeated.at(0), t + 100ms).empty());
  static_cast<void>(world.client.on_datagram(again.at(0), t));
  EXPECT_TRUE(world.both_established());
}

TEST(DtlsHandshake, ClientHelloToAnEstablishedSessionIsTheCallersMatter) {
  DtlsWorld world;
  world.handshake();
  DtlsWorld restarted;
  const auto hello = restarted.client.start(world.now);
  EXPECT_TRUE(is_client_hello(hello.at(0)));
  EXPECT_TRUE(world.server.on_datagram(hello.at(0), world.now).empty());
  EXPECT_TRUE(world.both_established());
}

TEST(DtlsHandshake, RepeatsWithGrowingPauses) {
  DtlsWorld world;
  static_cast<void>(world.client.start(Time{}));
  std::vector<std::int64_t> pauses;
  Time last{};
  for (Time next = world.client.next_deadline(); pauses.size() < 6; next = world.client.next_deadline()) {
    pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(next - last).count());
    EXPECT_TRUE(world.client.on_deadline(next - 1ms).empty());
    EXPECT_EQ(world.client.on_deadline(next).size(), 1U);
    last = next;
  }
  EXPECT_THAT(pauses, testing::ElementsAre(400, 800, 1600, 3200, 4000, 4000));
}

TEST(DtlsHandshake, GarbageNeverCrashesAndRarelyMatters) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    DtlsWorld world;
    const Time t{};
    static_cast<void>(world.server.start(t));
    Buffer datagram = world.client.start(t).at(0);
    for (int change = 0; change < 1 + round % 7; ++change) {
      datagram[random() % datagram.size()] = static_cast<std::uint8_t>(random());
    }
    datagram.resize(1 + random() % datagram.size());
    const auto answer = world.server.on_datagram(datagram, t);
    EXPECT_NE(world.server.state(), DtlsState::kEstablished);
    for (const Buffer& each : answer) {
      static_cast<void>(world.client.on_datagram(each, t));
    }
    Buffer noise(random() % 100);
    std::generate(noise.begin(), noise.end(), [&] { return static_cast<std::uint8_t>(random()); });
    static_cast<void>(world.client.on_datagram(noise, t));
    EXPECT_NE(world.client.state(), DtlsState::kEstablished);
  }
}

TEST(DtlsHandshake, ForgedRecordThatIsTooShortToBeSealedHarmsNothing) {
  DtlsWorld world;
  static_cast<void>(world.server.start({}));
  const auto pass = [](DtlsSession& to, const DtlsSession::Datagrams& flight) {
    Buffer stunted = {22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 16};
    stunted.resize(stunted.size() + 16, 7);
    DtlsSession::Datagrams answer;
    for (const Buffer& each : flight) {
      static_cast<void>(to.on_datagram(stunted, {}));
      for (Buffer& made : to.on_datagram(each, {})) {
        answer.push_back(std::move(made));
      }
      static_cast<void>(to.on_datagram(stunted, {}));
    }
    return answer;
  };
  auto flight = world.client.start({});
  for (int round = 0; round < 3; ++round) {
    flight = pass(world.client, pass(world.server, flight));
  }
  ASSERT_TRUE(world.both_established()) << world.server.reason() << world.client.reason();
  Buffer record(100);
  Buffer room(100);
  record.resize(world.client.seal(as_bytes("x"), record));
  EXPECT_TRUE(world.server.open(record, room));
  record.resize(100);
  record.resize(world.server.seal(as_bytes("x"), record));
  EXPECT_TRUE(world.client.open(record, room));
}

TEST(DtlsRecord, IsStuntedWhenItIsTooShortForItsEpoch) {
  Buffer sealed = {22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 24};
  sealed.resize(sealed.size() + 24);
  EXPECT_FALSE(has_stunted_record(sealed));
  Buffer stunted = {22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 23};
  stunted.resize(stunted.size() + 23);
  EXPECT_TRUE(has_stunted_record(stunted));
  EXPECT_TRUE(has_stunted_record(Bytes(stunted).first(13)));
  EXPECT_FALSE(has_stunted_record(Bytes(stunted).first(12)));  // no record at all
  sealed.insert(sealed.end(), stunted.begin(), stunted.end());
  EXPECT_TRUE(has_stunted_record(sealed));  // the second one
  stunted[4] = 0;
  EXPECT_FALSE(has_stunted_record(stunted));
}

TEST(DtlsRecord, IsSortedByItsHeader) {
  const Buffer record = {23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 0xaa, 0xbb};
  EXPECT_EQ(dtls_content(record), DtlsContent::kApplicationData);
  EXPECT_TRUE(is_single_record(record));
  for (std::size_t size = 0; size < record.size(); ++size) {
    EXPECT_FALSE(is_single_record(Bytes(record).first(size))) << size;
  }
  EXPECT_EQ(dtls_content(Bytes(record).first(12)), DtlsContent::kOther);
  Buffer hello = {22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1};
  EXPECT_TRUE(is_client_hello(hello));
  EXPECT_FALSE(is_client_hello(Bytes(hello).first(13)));
  hello[4] = 1;  // epoch 1: protected, so the octet after the header says nothing
  EXPECT_FALSE(is_client_hello(hello));
  EXPECT_EQ(dtls_content(Buffer(20, 22)), DtlsContent::kOther);
}

}  // namespace
}  // namespace hearthcast::secure
