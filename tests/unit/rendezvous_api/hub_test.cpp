// The whole rendezvous on loopback: box and device as SignallingLinks, presence by real datagrams, pairing
// through it.
#include "rendezvous-server/api/hub.hpp"

#include <gmock/gmock.h>

#include <boost/asio/ip/udp.hpp>

#include "tests/unit/rendezvous_api/hub_world.hpp"
#include "tunnelmgr/http/client.hpp"
#include "tunnelmgr/http/pairing_client.hpp"
#include "tunnelmgr/nat/presence.hpp"

namespace hearthcast::rendezvous {
namespace {

using namespace std::chrono_literals;

TEST_F(HubTest, IntroducesADeviceToABox) {
  open();
  join(box, Role::kBox);
  box.link->set_allowed({device.identity.id()}, 1);
  join(device, Role::kDevice);
  EXPECT_EQ(box.link->server(), hub->listening());
  ASSERT_TRUE(turn_until(io, [&] { return hub->status().known_boxes == 1; }));
  const std::uint64_t id = device.link->introduce(box.identity.id(), sealed(device, box));
  ASSERT_TRUE(wait_for<IntroductionAsked>(box));
  const IntroduceOffer offer = box.find<IntroductionAsked>()->offer;
  const auto opened =
      signalling::open(crypto, offer.public_key, box.identity.id(), offer.payload, offer.signature);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->from, device.identity.id());
  box.link->answer_introduction(offer.id, sealed(box, device));
  ASSERT_TRUE(wait_for<IntroductionAnswered>(device));
  const auto* answered = device.find<IntroductionAnswered>();
  EXPECT_EQ(answered->id, id);
  EXPECT_TRUE(signalling::open(crypto, box.identity.public_key(), device.identity.id(),
                               answered->sealed.payload, answered->sealed.signature));
}

TEST_F(HubTest, AStrangerIsNotIntroduced) {
  open();
  join(box, Role::kBox);
  box.link->set_allowed({}, 1);
  join(device, Role::kDevice);
  device.link->introduce(box.identity.id(), sealed(device, box));
  ASSERT_TRUE(wait_for<RequestFailed>(device));
  EXPECT_EQ(device.find<RequestFailed>()->code, ErrorCode::kNotAllowed);
  EXPECT_EQ(box.find<IntroductionAsked>(), nullptr);
}

TEST_F(HubTest, AServerWithAnotherKeyHearsNothing) {
  open();
  at.pin = Sha256{{1}};
  auto made = SignallingLink::make(io, log, Role::kBox, box.identity, random, at,
                                   [&](ClientAction event) { box.events.push_back(std::move(event)); });
  ASSERT_TRUE(made);
  box.link = std::move(*made);
  box.link->start();
  ASSERT_TRUE(wait_for<Left>(box));
  EXPECT_THAT(box.find<Left>()->reason, testing::HasSubstr("another key"));
  EXPECT_EQ(hub->status().counters.hellos, 0U);
}

TEST_F(HubTest, ARestartedRendezvousKnowsTheListsAndTheClientsComeBack) {
  open();
  join(box, Role::kBox);
  box.link->set_allowed({device.identity.id()}, 1);
  ASSERT_TRUE(turn_until(io, [&] { return hub->status().known_boxes == 1; }));
  hub->stop();
  hub.reset();  // waits for the write in hand
  ASSERT_TRUE(wait_for<Left>(box));
  box.events.clear();
  open();
  EXPECT_EQ(hub->status().known_boxes, 1U);
  ASSERT_TRUE(wait_for<Joined>(box));
}

TEST_F(HubTest, ASecondBoxWithTheSameIdentityReplacesTheFirst) {
  open();
  join(box, Role::kBox);
  End twin;
  twin.identity = box.identity;
  join(twin, Role::kBox);
  ASSERT_TRUE(wait_for<Left>(box));
  EXPECT_THAT(box.find<Left>()->reason, testing::HasSubstr("same identity"));
  EXPECT_EQ(hub->status().boxes, 1U);
  twin.link.reset();
}

TEST_F(HubTest, PresenceTellsTheMappingOfTheDataSocket) {
  using boost::asio::ip::udp;
  open();
  join(box, Role::kBox);
  const PresenceAccess access = box.find<Joined>()->presence;
  EXPECT_EQ(access.port, hub->presence().port);
  udp::socket socket(io, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  socket.non_blocking(true);
  const udp::endpoint server(boost::asio::ip::address_v4::loopback(), access.port);
  nat::Presence presence(crypto, random);
  const Time now = Clock::now();
  for (const auto& action : presence.start(
           {{*IpAddress::parse("127.0.0.1"), access.port}, access.username, access.password, 20s}, now)) {
    if (const auto* send = std::get_if<nat::SendDatagram>(&action)) {
      socket.send_to(boost::asio::buffer(send->bytes), server);
    }
  }
  std::array<std::uint8_t, 1500> datagram{};
  std::size_t size = 0;
  ASSERT_TRUE(turn_until(io, [&] {
    boost::system::error_code error;
    udp::endpoint from;
    size = socket.receive_from(boost::asio::buffer(datagram), from, {}, error);
    return !error;
  }));
  const Bytes answer = Bytes(datagram).first(size);
  (void)presence.on_stun({*IpAddress::parse("127.0.0.1"), access.port}, answer, *wire::decode_stun(answer),
                         now);
  const Endpoint own{*IpAddress::parse("127.0.0.1"), socket.local_endpoint().port()};
  EXPECT_EQ(presence.mapped(), own);
  ASSERT_TRUE(wait_for<MappingSeen>(box));
  EXPECT_EQ(box.find<MappingSeen>()->endpoint, own);
  socket.send_to(boost::asio::buffer("hello?", 6), server);
  EXPECT_TRUE(turn_until(io, [&] { return hub->status().presence_dropped == 1; }));
}

TEST_F(HubTest, PairsThroughTheRendezvousByLinkAndByCode) {
  open();
  join(box, Role::kBox);
  box.link->open_pairing("7K2M", Clock::now() + 10min);
  for (const bool by_link : {true, false}) {
    box.events.clear();
    http::PairingTask task;
    task.device_name = "Laptop";
    Buffer key;
    if (by_link) {
      PairingLink invitation;
      invitation.box = box.identity.id();
      invitation.secret.fill(5);
      invitation.rendezvous = at;
      invitation.addresses = {*Endpoint::parse("127.0.0.1:1")};  // nobody there
      key = pairing_key(crypto, invitation.secret);
      task.invitation = invitation;
    } else {
      PairingCode code{"7K2M", {}};
      code.secret.fill(6);
      key = pairing_key(crypto, code.secret);
      task.invitation = code;
      task.rendezvous = at;
    }
    std::optional<Result<http::PairedBox, http::PairingFailure>> result;
    http::PairingClient client(io, log, crypto, random, device.identity, task,
                               [&](auto got) { result = std::move(got); });
    ASSERT_TRUE(wait_for<PairingAsked>(box));
    const PairOffer offer = box.find<PairingAsked>()->offer;
    const auto request = decode_pairing_request(offer.payload);
    ASSERT_TRUE(request);
    EXPECT_TRUE(proves(crypto, *request, key));
    PairingAnswer answer;
    answer.name = "Home";
    seal_pairing_answer(crypto, random, box.identity, *request, key, answer);
    box.link->answer_pairing(offer.id, encode(answer));
    ASSERT_TRUE(turn_until(io, [&] { return result.has_value(); }));
    ASSERT_TRUE(*result) << result->error().text;
    EXPECT_EQ((*result)->id, box.identity.id());
    EXPECT_EQ((*result)->rendezvous, at);
    EXPECT_FALSE((*result)->direct);
    EXPECT_EQ((*result)->fingerprint,
              pairing_fingerprint(crypto, device.identity.public_key(), box.identity.public_key()));
  }
}

TEST_F(HubTest, ARendezvousThatAnswersInTheBoxsPlaceIsFoundOut) {
  open();
  join(box, Role::kBox);  // plays the hostile party: it does not know the secret
  box.link->open_pairing("7K2M", Clock::now() + 10min);
  http::PairingTask task;
  task.device_name = "Laptop";
  task.invitation = PairingCode{"7K2M", {}};
  task.rendezvous = at;
  std::optional<Result<http::PairedBox, http::PairingFailure>> result;
  http::PairingClient client(io, log, crypto, random, device.identity, task,
                             [&](auto got) { result = std::move(got); });
  ASSERT_TRUE(wait_for<PairingAsked>(box));
  const PairOffer offer = box.find<PairingAsked>()->offer;
  PairingAnswer answer;
  answer.name = "Home";
  seal_pairing_answer(crypto, random, box.identity, *decode_pairing_request(offer.payload),
                      pairing_key(crypto, as_bytes("guess")), answer);
  box.link->answer_pairing(offer.id, encode(answer));
  ASSERT_TRUE(turn_until(io, [&] { return result.has_value(); }));
  ASSERT_FALSE(*result);
  EXPECT_THAT(result->error().text, testing::HasSubstr("somebody is in between"));
}

TEST_F(HubTest, PairingFailuresAreToldInWords) {
  open();
  http::PairingTask task;
  task.device_name = "Laptop";
  task.invitation = PairingCode{"7K2M", {}};
  std::optional<Result<http::PairedBox, http::PairingFailure>> result;
  const auto run = [&] {
    result.reset();
    http::PairingClient client(io, log, crypto, random, device.identity, task,
                               [&](auto got) { result = std::move(got); });
    EXPECT_TRUE(turn_until(io, [&] { return result.has_value(); }));
    return result->has_error() ? result->error().text : "";
  };
  EXPECT_THAT(run(), testing::HasSubstr("--rendezvous"));
  task.rendezvous = at;
  EXPECT_THAT(run(), testing::HasSubstr("no box waits"));
  task.device_name = "";
  EXPECT_THAT(run(), testing::HasSubstr("1 to 64 characters"));
  task.device_name = "Laptop";
  PairingLink alone;
  alone.addresses = {*Endpoint::parse("127.0.0.1:1")};
  task.invitation = alone;
  task.rendezvous.reset();
  EXPECT_THAT(run(), testing::HasSubstr("names no rendezvous"));
}

TEST_F(HubTest, TheControlSocketShowsTheStatus) {
  open();
  join(box, Role::kBox);
  http::ClientRequest request;
  request.to.unix_path = settings.control_socket;
  request.to.url.target = "/status";
  std::optional<Result<http::Response, http::ClientFailure>> got;
  http::request(io, request, [&](auto result) { got = std::move(result); });
  ASSERT_TRUE(turn_until(io, [&] { return got.has_value(); }));
  ASSERT_TRUE(*got);
  EXPECT_THAT((*got)->body, testing::HasSubstr("\"boxes\":1"));
  EXPECT_THAT((*got)->body, testing::HasSubstr(server_identity.id().to_string()));
}

TEST_F(HubTest, APortInUseIsAFailureInWords) {
  open();
  const auto second =
      Hub::open(io, log, crypto, random, *secure::TlsContext::server(server_identity), settings);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text, testing::HasSubstr("another program uses this port"));
}

}  // namespace
}  // namespace hearthcast::rendezvous
