#include "appliance/access/lan_link.hpp"

#include <gtest/gtest.h>

#include <set>

#include "appliance/access/device_list.hpp"
#include "tests/unit/access/people.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::access {
namespace {

using testing_people::identity;
using testing_people::key;

class LanLinkTest : public testing::Test {
 protected:
  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
};

TEST_F(LanLinkTest, TokensCanBeTypedAndNoTwoAreAlike) {
  std::set<std::string> seen;
  for (int n = 0; n < 200; ++n) {
    const std::string token = make_lan_token(random);
    EXPECT_EQ(token.size(), kLanTokenSymbols);
    EXPECT_EQ(token.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), std::string::npos) << token;
    EXPECT_TRUE(lan_link_of(crypto, token));
    seen.insert(token);
  }
  EXPECT_EQ(seen.size(), 200U);
}

TEST_F(LanLinkTest, HoweverItIsTypedItIsTheSameLink) {
  const auto link = lan_link_of(crypto, "7KQ4M2N8XR0T1VWYZ3ABCDEFGH");
  ASSERT_TRUE(link);
  for (const char* typed : {"7kq4m2n8xr0t1vwyz3abcdefgh", "7KQ4-M2N8-XR0T-1VWY-Z3AB-CDEF-GH",
                            "7KQ4M2N8XROTIVWYZ3ABCDEFGH", "7KQ4M2N8XR0TLVWYZ3ABCDEFGH"}) {
    EXPECT_EQ(lan_link_of(crypto, typed), link) << typed;
  }
  EXPECT_NE(lan_link_of(crypto, "7KQ4M2N8XR0T1VWYZ3ABCDEFGJ"), link);
}

TEST_F(LanLinkTest, WhatCannotBeATokenIsNobodys) {
  for (const std::string& text :
       {std::string(), std::string("7KQ4"), std::string(25, 'A'), std::string(27, 'A'), std::string(26, 'U'),
        std::string(26, '/'), std::string("7KQ4M2N8XR0T1VWYZ3ABCDEFG\xC3"), std::string(100'000, 'A'),
        std::string(60, '-')}) {
    EXPECT_FALSE(lan_link_of(crypto, text)) << text.substr(0, 40);
  }
}

class LanLinksOfDevices : public LanLinkTest {
 protected:
  LanLinksOfDevices() {
    laptop = devices.paired(identity(1), key(1), "laptop").value();
    phone = devices.paired(identity(2), key(2), "phone").value();
  }
  Sha256 link(const char* name) { return crypto.sha256(as_bytes(name)); }
  DeviceList devices;
  DeviceId laptop, phone;
};

TEST_F(LanLinksOfDevices, ADeviceIsFoundByItsLinkAndByNoOther) {
  EXPECT_FALSE(devices.has_lan_links());
  EXPECT_EQ(devices.find_lan_link(link("a")), nullptr);
  EXPECT_EQ(devices.find_lan_link(Sha256()), nullptr);
  ASSERT_TRUE(devices.set_lan_link(phone, link("a")));
  EXPECT_TRUE(devices.has_lan_links());
  ASSERT_NE(devices.find_lan_link(link("a")), nullptr);
  EXPECT_EQ(devices.find_lan_link(link("a"))->id, phone);
  EXPECT_EQ(devices.find_lan_link(link("b")), nullptr);
}

TEST_F(LanLinksOfDevices, ANewLinkReplacesTheFormerAndNoneTakesItAway) {
  ASSERT_TRUE(devices.set_lan_link(laptop, link("a")));
  ASSERT_TRUE(devices.set_lan_link(laptop, link("b")));
  EXPECT_EQ(devices.find_lan_link(link("a")), nullptr);
  EXPECT_NE(devices.find_lan_link(link("b")), nullptr);
  ASSERT_TRUE(devices.set_lan_link(laptop, std::nullopt));
  EXPECT_EQ(devices.find_lan_link(link("b")), nullptr);
  EXPECT_FALSE(devices.has_lan_links());
  EXPECT_FALSE(devices.set_lan_link(DeviceId{99}, link("a")));
}

TEST_F(LanLinksOfDevices, ALinkChangesNothingThatDevicesOrTheRendezvousAreTold) {
  const auto revision = devices.revision();
  const auto own = devices.find(laptop)->revision;
  ASSERT_TRUE(devices.set_lan_link(laptop, link("a")));
  EXPECT_EQ(devices.revision(), revision);
  EXPECT_EQ(devices.find(laptop)->revision, own);
}

}  // namespace
}  // namespace hearthcast::access
