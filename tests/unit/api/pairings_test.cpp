#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "appliance/api/qr_code.hpp"
#include "tests/unit/api/browser.hpp"

namespace hearthcast::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;
using testing_browser::json;

class PairingsTest : public testing::Test, protected testing_browser::Browser {
 protected:
  PairingsTest() { set_up(); }
  testing_browser::Answer pair_as_stranger(const std::string& message) {
    const std::string kept = std::exchange(cookie, "");
    auto got = send("POST", "/api/v1/pair", message);
    cookie = kept;
    return got;
  }
  secure::OpenSslIdentity device = secure::make_identity();
};

TEST_F(PairingsTest, OpensAWindowWithLinkCodeAndPicture) {
  EXPECT_EQ(get("/pairings").body()["pairings"].size(), 0U);
  const auto opened = post("/pairings", json::object());
  EXPECT_EQ(opened.status, 201);
  const json body = opened.body();
  EXPECT_THAT(body["link"].get<std::string>(), StartsWith("hearthcast://pair#"));
  EXPECT_THAT(body["code"].get<std::string>(), testing::MatchesRegex("([0-9A-Z]{5}-){3}[0-9A-Z]{5}"));
  EXPECT_EQ(body["expires_in_s"], 600);
  EXPECT_EQ(body["tries_left"], 5);
  EXPECT_EQ(body["qr_svg"], qr_svg(body["link"]));
  now += 90s;
  EXPECT_EQ(get("/pairings").body()["pairings"][0]["expires_in_s"], 510);
  now += 510s;
  EXPECT_EQ(get("/pairings").body()["pairings"].size(), 0U);
}

TEST_F(PairingsTest, ClosesAWindow) {
  const auto id = post("/pairings", json::object()).body()["id"].get<int>();
  EXPECT_EQ(remove("/pairings/" + std::to_string(id + 1)).code(), "not_found");
  EXPECT_EQ(remove("/pairings/" + std::to_string(id)).status, 204);
  EXPECT_EQ(remove("/pairings/" + std::to_string(id)).code(), "not_found");
}

TEST_F(PairingsTest, TwentyWindowsAnHour) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(post("/pairings", json::object()).status, 201);
  }
  EXPECT_EQ(post("/pairings", json::object()).code(), "too_many_windows");
}

TEST_F(PairingsTest, ADevicePairsWithoutSessionAndIsPending) {
  (void)post("/pairings", json::object());
  const auto got = pair_as_stranger(signalling::encode(request(device, "<b>laptop</b>")));
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.body().contains("mac"));
  const json devices = get("/devices").body()["devices"];
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_EQ(devices[0]["name"], "<b>laptop</b>");
  EXPECT_EQ(devices[0]["state"], "pending");
  EXPECT_EQ(devices[0]["channels"], json::array());
}

TEST_F(PairingsTest, RefusalsAreAnswersOfTheProtocol) {
  const auto wrong = signalling::make_pairing_request(crypto, random, device, "x", Buffer(32, 1));
  const auto refused = pair_as_stranger(signalling::encode(wrong));
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.body()["error"]["code"], "no_window");
  EXPECT_FALSE(refused.body().contains("mac"));
}

TEST_F(PairingsTest, FloodsAreThrottledAndNonsenseIsRefused) {
  EXPECT_EQ(pair_as_stranger("{}").code(), "bad_request");
  EXPECT_EQ(pair_as_stranger("\xff\xfe").code(), "bad_request");
  int served = 0;
  for (int i = 0; i < 100; ++i) {
    served += pair_as_stranger("{}").status == 400 ? 1 : 0;
  }
  EXPECT_LE(served, 60);
  EXPECT_EQ(pair_as_stranger("{}").code(), "too_many_attempts");
}

TEST(QrCode, IsAQuadraticPictureWithAQuietZone) {
  const auto modules = qr_modules("hearthcast://pair#AAAA");
  ASSERT_GE(modules.size(), 21U);
  EXPECT_EQ(modules.size(), modules[0].size());
  // The finder pattern in the corner: a dark frame of seven modules.
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_TRUE(modules[0][i]);
    EXPECT_TRUE(modules[i][0]);
  }
  EXPECT_FALSE(modules[1][1]);
  const std::string svg = qr_svg("hearthcast://pair#AAAA");
  const std::string size = std::to_string(modules.size() + 8);
  EXPECT_THAT(svg, HasSubstr("viewBox=\"0 0 " + size + " " + size + "\""));
  EXPECT_THAT(svg, HasSubstr("M4 4h7v1h-7z"));
  EXPECT_THAT(svg, testing::Not(HasSubstr("<script")));
  EXPECT_EQ(qr_svg(std::string(5000, 'x')), "");
}

}  // namespace
}  // namespace hearthcast::api
