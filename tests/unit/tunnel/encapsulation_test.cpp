#include "tunnelmgr/tunnel/encapsulation.hpp"

#include <set>

#include "tests/unit/tunnel/foreign_packets.hpp"

namespace hearthcast::tunnel {
namespace {

using namespace std::chrono_literals;
using wire::AyiyaHash;

std::unique_ptr<Encapsulation> gre(GreSettings settings, Carrier carrier = Carrier::kUdp) {
  return make_encapsulation({.form = Form::kGre, .carrier = carrier, .gre = settings, .ayiya = {}}, kHashes);
}
std::unique_ptr<Encapsulation> sixinfour(Carrier carrier) {
  return make_encapsulation({.form = Form::kSixInFour, .carrier = carrier, .gre = {}, .ayiya = {}}, kHashes);
}

// Every form, both ends of it.
struct Ends {
  const char* name;
  std::unique_ptr<Encapsulation> here, there;
  Carrier carrier;
  std::size_t overhead;  // over IPv4, as the table of the formats has it
};
std::vector<Ends> all_forms() {
  std::vector<Ends> all;
  const GreSettings full{.key = 42, .sequence = true, .checksum = true};
  const GreSettings usual{.key = 42, .sequence = true, .checksum = false};
  all.push_back({"gre", gre({}, Carrier::kIp), gre({}, Carrier::kIp), Carrier::kIp, 24});
  all.push_back({"gre ks", gre(usual, Carrier::kIp), gre(usual, Carrier::kIp), Carrier::kIp, 32});
  all.push_back({"gre-udp", gre({}), gre({}), Carrier::kUdp, 32});
  all.push_back({"gre-udp ks", gre(usual), gre(usual), Carrier::kUdp, 40});
  all.push_back({"gre-udp ksc", gre(full), gre(full), Carrier::kUdp, 44});
  all.push_back({"gre-gue", gre(usual, Carrier::kGue), gre(usual, Carrier::kGue), Carrier::kGue, 44});
  all.push_back({"6in4", sixinfour(Carrier::kIp), sixinfour(Carrier::kIp), Carrier::kIp, 20});
  all.push_back({"6in4-udp", sixinfour(Carrier::kUdp), sixinfour(Carrier::kUdp), Carrier::kUdp, 28});
  all.push_back({"6in4-gue", sixinfour(Carrier::kGue), sixinfour(Carrier::kGue), Carrier::kGue, 32});
  all.push_back({"ayiya-sha1", ayiya_end(AyiyaHash::kSha1, true), ayiya_end(AyiyaHash::kSha1, false),
                 Carrier::kUdp, 72});
  all.push_back({"ayiya-sha256", ayiya_end(AyiyaHash::kSha256, true), ayiya_end(AyiyaHash::kSha256, false),
                 Carrier::kUdp, 84});
  all.push_back({"ayiya", ayiya_end(AyiyaHash::kHmacSha256, true), ayiya_end(AyiyaHash::kHmacSha256, false),
                 Carrier::kUdp, 84});
  return all;
}

TEST(Encapsulation, BringsEveryPacketToTheOtherEndInEveryForm) {
  for (auto& form : all_forms()) {
    EXPECT_EQ(overhead(*form.here, form.carrier, Family::kIp4), form.overhead) << form.name;
    EXPECT_EQ(overhead(*form.here, form.carrier, Family::kIp6), form.overhead + 20) << form.name;
    for (const Buffer& packet : {kInner6, kInner4}) {
      const Family family = packet == kInner6 ? Family::kIp6 : Family::kIp4;
      if (!form.here->carries(family)) {
        EXPECT_EQ(family, Family::kIp4) << form.name;
        continue;
      }
      for (int i = 0; i < 3; ++i) {
        const Buffer datagram = sealed(*form.here, packet, moment(i * 1s));
        const auto there = form.there->open(datagram, moment(i * 1s));
        ASSERT_TRUE(there) << form.name << ": " << label(there.error());
        EXPECT_TRUE(equal(there->payload, packet)) << form.name;
      }
      const Buffer answer = sealed(*form.there, packet);
      const auto back = form.here->open(answer, moment());
      ASSERT_TRUE(back) << form.name;
      EXPECT_TRUE(equal(back->payload, packet)) << form.name;
    }
  }
}

TEST(Encapsulation, RefusesEveryPrefixAndEveryLongerDatagram) {
  for (auto& form : all_forms()) {
    Buffer whole = sealed(*form.here, kInner6);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Buffer prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(form.there->open(prefix, moment())) << form.name << " " << size;
    }
    whole.push_back(0);
    EXPECT_FALSE(form.there->open(whole, moment())) << form.name;
    whole.pop_back();
    EXPECT_TRUE(form.there->open(whole, moment())) << form.name << ": what was refused left no trace";
  }
}

TEST(Encapsulation, TakesNoTunnelInsideTheTunnelAndNoImpossibleSource) {
  Buffer nested = kInner6;
  nested[6] = 41;
  Buffer loopback = kInner6;
  std::fill(loopback.begin() + 8, loopback.begin() + 24, std::uint8_t{0});
  loopback[23] = 1;
  for (auto& form : all_forms()) {
    EXPECT_EQ(form.there->open(sealed(*form.here, nested), moment()).error(), Drop::kNested) << form.name;
    EXPECT_EQ(form.there->open(sealed(*form.here, loopback, moment(1s)), moment(1s)).error(),
              Drop::kInnerSource)
        << form.name;
  }
}

TEST(Encapsulation, HasTheOctetsThatLinuxTakes) {
  const auto whole = gre({.key = 42, .sequence = true, .checksum = true});
  EXPECT_TRUE(equal(Bytes(sealed(*whole, kInner6)).first(4), hex("b00086dd")));
  EXPECT_TRUE(equal(Bytes(sealed(*whole, kInner4)).first(16).last(8), hex("0000002a 00000001")));
  EXPECT_TRUE(equal(Bytes(sealed(*sixinfour(Carrier::kGue), kInner6)).first(8), hex("00290000 60000000")));
  EXPECT_TRUE(equal(Bytes(sealed(*gre({}, Carrier::kGue), kInner4)).first(8), hex("002f0000 00000800")));
}

TEST(Gre, CountsFromZeroForThisPeer) {
  const auto form = gre({.key = std::nullopt, .sequence = true, .checksum = false});
  for (std::uint8_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sealed(*form, kInner6)[7], i);
  }
}

TEST(Gre, WantsWhatWasAgreed) {
  const auto here = gre({.key = 42, .sequence = true, .checksum = true});
  const auto refused = [&](GreSettings there) {
    return here->open(sealed(*gre(there), kInner6), moment()).error();
  };
  EXPECT_EQ(refused({.key = 43, .sequence = true, .checksum = true}), Drop::kKey);
  EXPECT_EQ(refused({.key = std::nullopt, .sequence = true, .checksum = true}), Drop::kKey);
  EXPECT_EQ(refused({.key = 42, .sequence = true, .checksum = false}), Drop::kChecksum);
  EXPECT_EQ(refused({.key = 42, .sequence = false, .checksum = true}), Drop::kSequence);
  EXPECT_EQ(gre({})->open(sealed(*gre({.key = 42}), kInner6), moment()).error(), Drop::kKey);
  Buffer wrong = sealed(*gre({.key = 42, .sequence = true, .checksum = true}), kInner6);
  wrong.back() ^= 1;
  EXPECT_EQ(here->open(wrong, moment()).error(), Drop::kChecksum);
  Buffer control = sealed(*gre({}), kInner6);
  control[2] = 0x88;
  control[3] = 0xB5;
  EXPECT_EQ(gre({})->open(control, moment()).error(), Drop::kMalformed)
      << "control belongs into sealed tunnels";
  EXPECT_EQ(gre({})->open(hex("00000800"), moment()).error(), Drop::kInnerLength);
}

TEST(Gre, TakesEachNumberOnceAndOnlyUpwards) {
  const GreSettings agreed{.key = std::nullopt, .sequence = true, .checksum = false};
  const auto here = gre(agreed);
  const auto there = gre(agreed);
  const Buffer first = sealed(*there, kInner6);
  const Buffer second = sealed(*there, kInner6);
  (void)sealed(*there, kInner6);
  const Buffer fourth = sealed(*there, kInner6);
  EXPECT_TRUE(here->open(second, moment()));
  EXPECT_EQ(here->open(second, moment(1s)).error(), Drop::kSequence);
  EXPECT_EQ(here->open(first, moment(1s)).error(), Drop::kSequence);
  EXPECT_TRUE(here->open(fourth, moment(1s))) << "a gap";
  const Buffer restarted = sealed(*gre(agreed), kInner6);
  EXPECT_EQ(here->open(restarted, moment(30s)).error(), Drop::kSequence);
  EXPECT_TRUE(here->open(restarted, moment(31s))) << "a peer that was silent may begin anew";
}

TEST(Gre, GoesOnOverTheEndOfTheNumbers) {
  const auto here = gre({.key = std::nullopt, .sequence = true, .checksum = false});
  Buffer packet = sealed(*gre({.key = std::nullopt, .sequence = true, .checksum = false}), kInner6);
  const auto with = [&](std::uint8_t octet, std::uint8_t last) {
    std::fill(packet.begin() + 4, packet.begin() + 7, octet);
    packet[7] = last;
    return packet;
  };
  EXPECT_TRUE(here->open(with(0xFF, 0xFE), moment()));
  EXPECT_TRUE(here->open(with(0, 1), moment()));
  EXPECT_EQ(here->open(with(0xFF, 0xFF), moment()).error(), Drop::kSequence);
}

TEST(Labels, AreDistinct) {
  std::set<std::string> labels;
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    labels.insert(label(static_cast<Drop>(i)));
  }
  EXPECT_EQ(labels.size(), kDropReasons);
}

}  // namespace
}  // namespace hearthcast::tunnel
