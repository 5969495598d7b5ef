// Which way a pairing request takes: straight to the box, or through the rendezvous, and never both at once.
#include <gmock/gmock.h>

#include "tests/unit/rendezvous_api/hub_world.hpp"
#include "tunnelmgr/http/pairing_client.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::rendezvous {
namespace {

using namespace std::chrono_literals;

// A port that takes connections and never says a word, as a firewall that swallows packets would look.
class SilentPort {
 public:
  SilentPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(::listen(fd_.get(), 8), 0);
    EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
    port_ = ntohs(at.sin_port);
  }
  [[nodiscard]] Endpoint at() const { return {*IpAddress::parse("127.0.0.1"), port_}; }
  // Somebody has connected and still waits for an answer.
  [[nodiscard]] bool is_waited_for() const {
    const linux::Fd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    std::array<char, 4096> hello;
    ssize_t size = 1;
    while (peer && size > 0) {
      size = ::recv(peer.get(), hello.data(), hello.size(), 0);
    }
    return peer && size < 0 && errno == EAGAIN;
  }

 private:
  linux::Fd fd_;
  std::uint16_t port_ = 0;
};

struct PairingWays : HubTest {
  PairingWays() {
    open();
    invitation.box = box.identity.id();
    invitation.secret.fill(5);
    invitation.rendezvous = at;
    key = pairing_key(crypto, invitation.secret);
  }
  ~PairingWays() override {
    client.reset();
    if (home) {
      home->stop();
    }
    io.restart();
    io.run_for(10ms);
  }
  std::string answer_to(const PairingRequest& request) {
    PairingAnswer answer;
    answer.name = "Home";
    seal_pairing_answer(crypto, random, box.identity, request, key, answer);
    return encode(answer);
  }
  // The box's own server, which answers a pairing request with this status.
  Endpoint open_home(int status = 200) {
    home = std::make_unique<http::Server>(
        io, log, [this, status](const http::Request& request, const http::Responder& responder) {
          if (request.method != "POST") {
            return responder.send(http::Response::text(405, "no\n"));
          }
          ++asked_at_home;
          const auto asked = decode_pairing_request(request.body);
          EXPECT_TRUE(asked && proves(crypto, *asked, key));
          responder.send(status == 200 ? http::Response::json(200, answer_to(*asked))
                                       : http::Response::text(status, "not now\n"));
        });
    return home->listen_tcp(*Endpoint::parse("127.0.0.1:0"), *secure::TlsContext::server(box.identity))
        .value();
  }
  void pair() {
    http::PairingTask task;
    task.device_name = "Laptop";
    task.invitation = invitation;
    client = std::make_unique<http::PairingClient>(io, log, crypto, random, device.identity, task,
                                                   [this](auto got) { result = std::move(got); });
  }
  void join_box() {
    join(box, Role::kBox);
    box.link->open_pairing("7K2M", Clock::now() + 10min);
  }
  // The box takes the request that came through the rendezvous.
  void answer_through_rendezvous() {
    ASSERT_TRUE(wait_for<PairingAsked>(box));
    const PairOffer offer = box.find<PairingAsked>()->offer;
    box.link->answer_pairing(offer.id, answer_to(*decode_pairing_request(offer.payload)));
  }
  bool finished() {
    return turn_until(io, [this] { return result.has_value(); });
  }

  PairingLink invitation;
  Buffer key;
  std::unique_ptr<http::Server> home;
  int asked_at_home = 0;
  std::unique_ptr<http::PairingClient> client;
  std::optional<Result<http::PairedBox, http::PairingFailure>> result;
};

TEST_F(PairingWays, TheBoxItselfIsAskedWhereItAnswers) {
  const SilentPort silent;
  join_box();
  invitation.addresses = {silent.at(), *Endpoint::parse("127.0.0.1:1"), open_home()};
  pair();
  ASSERT_TRUE(finished());
  ASSERT_TRUE(*result) << result->error().text;
  EXPECT_TRUE((*result)->direct);
  EXPECT_EQ((*result)->id, box.identity.id());
  EXPECT_EQ(asked_at_home, 1);
  EXPECT_EQ(box.find<PairingAsked>(), nullptr) << "one way only";
}

TEST_F(PairingWays, AddressesThatSwallowEverythingAreNotWaitedFor) {
  const SilentPort silent;
  join_box();
  invitation.addresses = {silent.at()};
  pair();
  answer_through_rendezvous();
  ASSERT_TRUE(finished());
  ASSERT_TRUE(*result) << result->error().text;
  EXPECT_FALSE((*result)->direct);
  EXPECT_TRUE(silent.is_waited_for()) << "paired before that address was given up";
}

TEST_F(PairingWays, TheRendezvousMayBeGoneAtHome) {
  hub->stop();
  invitation.addresses = {open_home()};
  pair();
  ASSERT_TRUE(finished());
  ASSERT_TRUE(*result) << result->error().text;
  EXPECT_TRUE((*result)->direct);
}

TEST_F(PairingWays, ABoxThatCannotAnswerIsAskedThroughTheRendezvous) {
  join_box();
  invitation.addresses = {open_home(503)};
  pair();
  answer_through_rendezvous();
  ASSERT_TRUE(finished());
  ASSERT_TRUE(*result) << result->error().text;
  EXPECT_FALSE((*result)->direct);
  EXPECT_EQ(asked_at_home, 1);
}

TEST_F(PairingWays, ABoxThatCannotAnswerAndNoRendezvousIsToldInWords) {
  invitation.rendezvous.reset();
  invitation.addresses = {open_home(503)};
  pair();
  ASSERT_TRUE(finished());
  ASSERT_FALSE(*result);
  EXPECT_THAT(result->error().text, testing::HasSubstr("answered with status 503"));
  EXPECT_THAT(result->error().text, testing::HasSubstr("names no rendezvous"));
}

TEST_F(PairingWays, AServerWithAnotherKeyIsNotTheBox) {
  invitation.rendezvous.reset();
  invitation.addresses = {open_home()};
  invitation.box = device.identity.id();  // the link names somebody else
  pair();
  ASSERT_TRUE(finished());
  ASSERT_FALSE(*result);
  EXPECT_THAT(result->error().text, testing::HasSubstr("another key"));
  EXPECT_EQ(asked_at_home, 0);
}

}  // namespace
}  // namespace hearthcast::rendezvous
