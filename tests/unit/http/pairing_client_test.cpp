// Pairing straight with a box's HTTPS server, and with what only seems to be one.
#include "tunnelmgr/http/pairing_client.hpp"

#include <gmock/gmock.h>

#include "tests/unit/http/loopback.hpp"
#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::http {
namespace {

using namespace signalling;
using testing::HasSubstr;

class PairingClientTest : public testing::Test {
 protected:
  using Paired = Result<PairedBox, PairingFailure>;
  // What the box says to a request.
  using Says = std::function<Response(const PairingRequest&)>;

  enum class Found { kAtOnce, kAfterAnotherWasAsked };
  Endpoint start_box(const secure::OpenSslIdentity& identity, Says says, Found found = Found::kAtOnce) {
    servers.push_back(std::make_unique<Server>(
        io, log, [this, says = std::move(says), found](const Request& request, const Responder& responder) {
          if (request.method == "HEAD") {  // who is there?
            if (found == Found::kAfterAnotherWasAsked && asked.empty()) {
              not_found_yet.push_back(responder);
            } else {
              responder.send(Response::text(404, ""));
            }
            return;
          }
          asked.push_back(request);
          for (const Responder& waiting : std::exchange(not_found_yet, {})) {
            waiting.send(Response::text(404, ""));
          }
          const auto decoded = decode_pairing_request(request.body);
          EXPECT_TRUE(decoded);
          responder.send(says(*decoded));
        }));
    return *servers.back()->listen_tcp(*Endpoint::parse("127.0.0.1:0"),
                                       *secure::TlsContext::server(identity));
  }
  Response good_answer(const PairingRequest& request, const secure::OpenSslIdentity& by) {
    PairingAnswer answer;
    answer.name = "Home";
    seal_pairing_answer(crypto, random, by, request, pairing_key(crypto, link.secret), answer);
    return Response::json(200, encode(answer));
  }
  Says good() {
    return [this](const PairingRequest& request) { return good_answer(request, box); };
  }
  Paired pair() {
    link.box = box.id();
    std::optional<Paired> result;
    PairingClient client(io, log, crypto, random, device, {link, {}, name},
                         [&](Paired got) { result = std::move(got); });
    EXPECT_TRUE(turn_until(io, [&] { return result.has_value(); }));
    return result ? std::move(*result) : PairingFailure{"nothing came", {}};
  }

  boost::asio::io_context io;
  QuietLog log;
  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  secure::OpenSslIdentity box = secure::make_identity();
  secure::OpenSslIdentity device = secure::make_identity();
  PairingLink link;
  std::string name = "Laptop";
  std::vector<Request> asked;
  std::vector<Responder> not_found_yet;
  std::vector<std::unique_ptr<Server>> servers;
};

TEST_F(PairingClientTest, PairsStraightWithTheBox) {
  link.addresses = {start_box(box, good())};
  const auto paired = pair();
  ASSERT_TRUE(paired) << paired.error().text;
  EXPECT_EQ(paired->id, box.id());
  EXPECT_EQ(paired->name, "Home");
  EXPECT_TRUE(paired->direct);
  EXPECT_EQ(paired->fingerprint, pairing_fingerprint(crypto, device.public_key(), box.public_key()));
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].method + " " + asked[0].path, "POST /api/v1/pair");
  EXPECT_EQ(asked[0].headers.get("x-hearthcast"), "1");
}

TEST_F(PairingClientTest, GoesOnToTheNextAddress) {
  const auto stranger = secure::make_identity();
  const auto unreached = [](const PairingRequest&) { return Response::text(200, "{}"); };
  link.addresses = {*Endpoint::parse("127.0.0.1:1"), start_box(stranger, unreached),
                    start_box(box, [](const PairingRequest&) { return Response::text(503, "busy\n"); }),
                    start_box(box, good(), Found::kAfterAnotherWasAsked)};
  EXPECT_TRUE(pair());
  EXPECT_EQ(asked.size(), 2U) << "another key than the link's hears nothing";
}

TEST_F(PairingClientTest, APortOfZeroInALinkIsNoAddress) {
  link.addresses = {*Endpoint::parse("127.0.0.1:0"), start_box(box, good())};
  EXPECT_TRUE(pair());
}

TEST_F(PairingClientTest, ARefusalIsTheLastWord) {
  link.addresses = {
      start_box(box,
                [](const PairingRequest&) {
                  return Response::json(200, encode(PairingRefusal{PairingRefusalCode::kUsed, ""}));
                }),
      start_box(box, good(), Found::kAfterAnotherWasAsked)};
  const auto refused = pair();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refused, PairingRefusalCode::kUsed);
  EXPECT_EQ(refused.error().text, "used") << "a refusal without words is told by its code";
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(PairingClientTest, AnAnswerThatProvesNothingIsRefused) {
  const auto other = secure::make_identity();
  const std::pair<const char*, Says> cases[] = {
      {"malformed", [](const PairingRequest&) { return Response::json(200, "{}"); }},
      {"malformed", [](const PairingRequest&) { return Response::text(200, "<html>"); }},
      {"in between", [&](const PairingRequest& r) { return good_answer(r, other); }},
      {"in between",
       [&](const PairingRequest& r) {
         PairingRequest another = r;
         another.nonce[0] ^= 1;  // the answer to another request
         return good_answer(another, box);
       }},
      {"in between",
       [&](const PairingRequest& r) {
         PairingAnswer answer;
         answer.name = "Home";
         seal_pairing_answer(crypto, random, box, r, pairing_key(crypto, as_bytes("guess")), answer);
         return Response::json(200, encode(answer));
       }},
  };
  for (const auto& [words, says] : cases) {
    link.addresses = {start_box(box, says)};
    const auto got = pair();
    ASSERT_FALSE(got) << words;
    EXPECT_THAT(got.error().text, HasSubstr(words));
    EXPECT_FALSE(got.error().refused);
  }
}

TEST_F(PairingClientTest, WithoutAnyAddressItSaysWhatToDo) {
  EXPECT_THAT(pair().error().text, HasSubstr("pair in the box's own network"));
  link.addresses = {start_box(box, [](const PairingRequest&) { return Response::text(500, "x"); })};
  EXPECT_THAT(pair().error().text, HasSubstr("answered with status 500"));
}

TEST_F(PairingClientTest, ANameThatIsNoTextIsNotSent) {
  link.addresses = {start_box(box, good())};
  for (const std::string& bad :
       {std::string(), std::string(65, 'x'), std::string("a\nb"), std::string("\xff")}) {
    name = bad;
    EXPECT_THAT(pair().error().text, HasSubstr("1 to 64 characters"));
  }
  EXPECT_TRUE(asked.empty());
}

TEST_F(PairingClientTest, WhoGivesUpHearsNothingMore) {
  link.box = box.id();
  std::unique_ptr<PairingClient> client;
  link.addresses = {start_box(box, [&](const PairingRequest& request) {
    client.reset();  // while the answer is on its way
    return good_answer(request, box);
  })};
  bool called = false;
  client = std::make_unique<PairingClient>(io, log, crypto, random, device, PairingTask{link, {}, name},
                                           [&](const Paired&) { called = true; });
  ASSERT_TRUE(turn_until(io, [&] { return !asked.empty(); }));
  servers.clear();
  io.restart();
  io.run();
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace hearthcast::http
