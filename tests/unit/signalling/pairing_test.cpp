#include "tunnelmgr/signalling/pairing.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::signalling {
namespace {

class PairingTest : public testing::Test {
 protected:
  PairingRequest request() { return make_pairing_request(crypto, random, device, "A laptop", key); }
  PairingAnswer answer_to(const PairingRequest& r) {
    PairingAnswer answer;
    answer.name = "Home";
    answer.rendezvous = RendezvousAddress{"wss://r.example/v1", std::nullopt};
    answer.addresses = {*Endpoint::parse("192.168.1.5:8871")};
    seal_pairing_answer(crypto, random, box, r, key, answer);
    return answer;
  }

  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  secure::OpenSslIdentity device = secure::make_identity();
  secure::OpenSslIdentity box = secure::make_identity();
  Buffer key = pairing_key(crypto, as_bytes("sixteen octets!!"));
  Buffer other_key = pairing_key(crypto, as_bytes("sixteen octets!?"));
};

TEST_F(PairingTest, BothProofsHold) {
  const PairingRequest r = request();
  EXPECT_TRUE(proves(crypto, r, key));
  EXPECT_FALSE(proves(crypto, r, other_key));
  const PairingAnswer a = answer_to(r);
  EXPECT_TRUE(proves(crypto, a, r, key));
  EXPECT_FALSE(proves(crypto, a, r, other_key));
}

TEST_F(PairingTest, AnyChangeByTheRendezvousIsNoticed) {
  const PairingRequest r = request();
  PairingRequest swapped = r;
  swapped.public_key.assign(box.public_key().begin(), box.public_key().end());
  EXPECT_FALSE(proves(crypto, swapped, key));
  PairingRequest renamed = r;
  renamed.name = "Eve's laptop";
  EXPECT_FALSE(proves(crypto, renamed, key));

  const PairingAnswer good = answer_to(r);
  PairingAnswer bad = good;
  bad.public_key[40] ^= 1;
  EXPECT_FALSE(proves(crypto, bad, r, key));
  bad = good;
  bad.rendezvous->url = "wss://evil.example/v1";
  EXPECT_FALSE(proves(crypto, bad, r, key));
  bad = good;
  bad.addresses.clear();
  EXPECT_FALSE(proves(crypto, bad, r, key));
  bad = good;
  bad.name = "Away";
  EXPECT_FALSE(proves(crypto, bad, r, key));
  EXPECT_FALSE(proves(crypto, good, request(), key));  // an answer to another request
}

TEST_F(PairingTest, ARequestReflectedIsNoAnswer) {
  const PairingRequest r = request();
  PairingAnswer reflected;
  reflected.public_key = r.public_key;
  reflected.nonce = r.nonce;
  reflected.mac = r.mac;
  reflected.name = r.name;
  EXPECT_FALSE(proves(crypto, reflected, r, key));
}

TEST_F(PairingTest, JsonRoundTrips) {
  const PairingRequest r = request();
  EXPECT_EQ(*decode_pairing_request(encode(r)), r);
  const PairingAnswer a = answer_to(r);
  EXPECT_EQ(std::get<PairingAnswer>(*decode_pairing_reply(encode(a))), a);
  PairingAnswer alone = a;
  alone.rendezvous.reset();
  EXPECT_EQ(std::get<PairingAnswer>(*decode_pairing_reply(encode(alone))), alone);
  for (const auto code :
       {PairingRefusalCode::kWrongCode, PairingRefusalCode::kExpired, PairingRefusalCode::kUsed,
        PairingRefusalCode::kTooManyTries, PairingRefusalCode::kNoWindow}) {
    const PairingRefusal refusal{code, "why"};
    EXPECT_EQ(std::get<PairingRefusal>(*decode_pairing_reply(encode(refusal))), refusal);
  }
}

TEST_F(PairingTest, EveryPrefixAndEveryMissingMemberIsRefused) {
  const std::string whole = encode(request());
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(decode_pairing_request(whole.substr(0, n))) << n;
  }
  for (const std::string name : {"public_key", "name", "nonce", "mac"}) {
    std::string renamed = whole;
    renamed.replace(renamed.find('"' + name + '"') + 1, 1, "x");
    EXPECT_FALSE(decode_pairing_request(renamed)) << name;
  }
  const std::string reply = encode(answer_to(request()));
  for (std::size_t n = 0; n < reply.size(); ++n) {
    EXPECT_FALSE(decode_pairing_reply(reply.substr(0, n))) << n;
  }
  EXPECT_FALSE(decode_pairing_reply(R"({"error":"no"})"));
  EXPECT_FALSE(decode_pairing_reply(R"({"error":{"code":"other"}})"));
  EXPECT_FALSE(decode_pairing_reply("[]"));
}

TEST_F(PairingTest, FingerprintIsFourSymbolsAndDependsOnBothKeys) {
  const std::string shown = pairing_fingerprint(crypto, device.public_key(), box.public_key());
  EXPECT_EQ(shown.size(), 4U);
  EXPECT_EQ(shown, pairing_fingerprint(crypto, device.public_key(), box.public_key()));
  const Buffer one{1};
  const Buffer two{2};
  EXPECT_EQ(pairing_fingerprint(crypto, one, two), "M4M7");  // SHA-256(01 02) starts a1287
}

TEST(DeviceName, IsShortPrintableUtf8) {
  EXPECT_TRUE(is_device_name("a"));
  EXPECT_TRUE(is_device_name("Büro \xF0\x9F\x93\xBA"));
  EXPECT_TRUE(is_device_name(std::string(64, 'x')));
  std::string many;
  for (int i = 0; i < 64; ++i) {
    many += "\xC3\xBC";
  }
  EXPECT_TRUE(is_device_name(many));
  EXPECT_FALSE(is_device_name(many + "x"));
  for (const char* bad : {"", "a\nb", "\x7f", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF",
                          "a\x80", "\xC2\x85", "\xE2\x82"}) {
    EXPECT_FALSE(is_device_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace hearthcast::signalling
