#include "appliance/store/export.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/api/browser.hpp"
#include "tunnelmgr/secure/passphrase_seal.hpp"

namespace hearthcast::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct ExportApiTest : testing_browser::Browser, testing::Test {
  ExportApiTest() { std::ofstream(scratch.path() / "identity.pem") << "the key"; }
};

TEST_F(ExportApiTest, TheControlSocketGetsTheBoxSealed) {
  use_control_socket();
  const auto answer = post("/export", {{"passphrase", "correct horse"}});
  ASSERT_EQ(answer.status, 200) << answer.text;
  EXPECT_EQ(answer.headers.get("Content-Type"), "application/octet-stream");
  EXPECT_EQ(answer.text.find("the key"), std::string::npos);
  const auto opened = secure::open_by_passphrase(as_bytes(answer.text), "correct horse");
  ASSERT_TRUE(opened) << opened.error().text;
  EXPECT_EQ(store::decode_box_export(*opened)->identity, "the key");
}

TEST_F(ExportApiTest, NobodyElseFindsIt) {
  EXPECT_EQ(post("/export", {{"passphrase", "correct horse"}}).status, 404);
  set_up();
  EXPECT_EQ(post("/export", {{"passphrase", "correct horse"}}).status, 404) << "not even the owner's browser";
}

TEST_F(ExportApiTest, AShortPassphraseIsRefusedWithTheReason) {
  use_control_socket();
  for (const json& body : {json{{"passphrase", "short one"}}, json::object(), json{{"passphrase", 7}}}) {
    const auto answer = post("/export", body);
    EXPECT_GE(answer.status, 400) << body;
    EXPECT_LT(answer.status, 500) << body;
  }
  EXPECT_EQ(post("/export", {{"passphrase", "ä ö ü ä ö"}}).code(), "invalid_field")
      << "characters, not octets";
  std::string long_one;
  for (int n = 0; n < 1024; ++n) {
    long_one += "ä";
  }
  EXPECT_EQ(post("/export", {{"passphrase", long_one}}).status, 200);
  EXPECT_EQ(post("/export", {{"passphrase", long_one + "x"}}).code(), "invalid_field");
  const auto answer = post("/export", {{"passphrase", "short one"}});
  EXPECT_EQ(answer.code(), "invalid_field");
  EXPECT_THAT(answer.text, HasSubstr("at least 10 characters"));
}

TEST_F(ExportApiTest, WithoutItsKeyTheBoxSaysWhatIsMissing) {
  std::filesystem::remove(scratch.path() / "identity.pem");
  use_control_socket();
  const auto answer = post("/export", {{"passphrase", "correct horse"}});
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.text, HasSubstr("identity.pem"));
}

TEST(PortMappingStatus, IsShownToTheOwnerWithAddressAndWay) {
  testing_browser::Browser browser;
  browser.use_control_socket();
  EXPECT_EQ(browser.get("/status").body()["port_mapping"]["state"], "off");
  browser.live.port_mapping = {PortMappingLive::State::kMapped, "PCP", Endpoint::parse("198.51.100.2:4755"),
                               "Open."};
  EXPECT_EQ(browser.get("/status").body()["port_mapping"],
            (nlohmann::json{
                {"state", "mapped"}, {"way", "PCP"}, {"external", "198.51.100.2:4755"}, {"text", "Open."}}));
  browser.live.port_mapping = {PortMappingLive::State::kFailed, "", std::nullopt, "No."};
  EXPECT_FALSE(browser.get("/status").body()["port_mapping"].contains("external"));
}

TEST(TunnelInterfaceStatus, IsShownToTheOwnerWithWhatDidNotPass) {
  testing_browser::Browser browser;
  EXPECT_FALSE(browser.get("/status").body().contains("tunnel_interface")) << "not to everybody";
  browser.use_control_socket();
  const auto off = browser.get("/status").body()["tunnel_interface"];
  EXPECT_EQ(off["state"], "off");
  EXPECT_FALSE(off.contains("interface"));
  browser.live.tunnel_interface = {
      TunnelInterfaceLive::State::kUp, "hearthcast0", 2, "Two.", 5, 6, 1, 8, 9, {{"refused", 7}}};
  EXPECT_EQ(browser.get("/status").body()["tunnel_interface"], (nlohmann::json{{"state", "up"},
                                                                               {"interface", "hearthcast0"},
                                                                               {"devices", 2},
                                                                               {"text", "Two."},
                                                                               {"packets_in", 5},
                                                                               {"packets_out", 6},
                                                                               {"home_connections", 1},
                                                                               {"home_packets_in", 8},
                                                                               {"home_packets_out", 9},
                                                                               {"drops", {{"refused", 7}}}}));
  browser.live.tunnel_interface.state = TunnelInterfaceLive::State::kIdle;
  EXPECT_EQ(browser.get("/status").body()["tunnel_interface"]["state"], "idle");
  browser.live.tunnel_interface.state = TunnelInterfaceLive::State::kFailed;
  EXPECT_EQ(browser.get("/status").body()["tunnel_interface"]["state"], "failed");
}

}  // namespace
}  // namespace hearthcast::api
