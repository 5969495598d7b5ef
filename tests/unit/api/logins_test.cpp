#include "appliance/api/logins.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::api {
namespace {

using namespace std::chrono_literals;
using http::Transport;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class LoginsTest : public testing::Test {
 protected:
  static http::Request with(Transport transport, const std::string& cookie) {
    http::Request request;
    request.transport = transport;
    request.headers = {{"Cookie", cookie}};
    return request;
  }
  http::Request signed_in(Transport transport) {
    const std::string given = logins.sign_in(transport, now);
    return with(transport, given.substr(0, given.find(';')));
  }
  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  Logins logins{crypto, random};
  Time now = Time{} + 10h;
};

TEST_F(LoginsTest, CookiesAreOutOfReachForScriptsAndOtherSites) {
  EXPECT_THAT(
      logins.sign_in(Transport::kHttps, now),
      testing::AllOf(StartsWith("__Host-hearthcast="), HasSubstr("; Path=/;"), HasSubstr("; HttpOnly"),
                     HasSubstr("; SameSite=Strict"), HasSubstr("; Secure"), Not(HasSubstr("Domain"))));
  EXPECT_THAT(logins.sign_in(Transport::kHttp, now),
              testing::AllOf(StartsWith("hearthcast-lan="), HasSubstr("; HttpOnly"),
                             HasSubstr("; SameSite=Strict"), Not(HasSubstr("Secure"))));
}

TEST_F(LoginsTest, ASessionIsGoodOnlyOnItsTransport) {
  const auto plain = signed_in(Transport::kHttp);
  EXPECT_TRUE(logins.is_signed_in(plain, now));
  const std::string token =
      std::string(plain.headers.get("cookie").substr(std::string("hearthcast-lan=").size()));
  EXPECT_FALSE(logins.is_signed_in(with(Transport::kHttps, "hearthcast-lan=" + token), now));
  EXPECT_FALSE(logins.is_signed_in(with(Transport::kHttps, "__Host-hearthcast=" + token), now));
}

TEST_F(LoginsTest, FindsItsCookieAmongOthers) {
  const auto request = signed_in(Transport::kHttps);
  const std::string own(request.headers.get("cookie"));
  EXPECT_TRUE(logins.is_signed_in(with(Transport::kHttps, "a=b; " + own + "; c=d"), now));
  EXPECT_FALSE(logins.is_signed_in(with(Transport::kHttps, "x" + own), now));
  EXPECT_FALSE(logins.is_signed_in(with(Transport::kHttps, ""), now));
  EXPECT_FALSE(logins.is_signed_in(with(Transport::kHttps, "__Host-hearthcast"), now));
  EXPECT_FALSE(logins.is_signed_in(with(Transport::kHttps, "__Host-hearthcast="), now));
}

TEST_F(LoginsTest, EndsAfterThirtyDaysWithoutUse) {
  const auto request = signed_in(Transport::kHttps);
  now += 29 * 24h;
  EXPECT_TRUE(logins.is_signed_in(request, now));
  EXPECT_EQ(logins.expires_in(request, now), 30 * 24h);
  now += 29 * 24h;
  EXPECT_TRUE(logins.is_signed_in(request, now, false));  // looking is not using
  EXPECT_EQ(logins.expires_in(request, now), 24h);
  EXPECT_FALSE(logins.is_signed_in(request, now + 24h));
  EXPECT_FALSE(logins.is_signed_in(request, now));  // and it is gone
}

TEST_F(LoginsTest, SigningOutEndsOneOrAllOthers) {
  const auto a = signed_in(Transport::kHttps);
  const auto b = signed_in(Transport::kHttps);
  const auto c = signed_in(Transport::kHttp);
  logins.sign_out(a);
  EXPECT_FALSE(logins.is_signed_in(a, now));
  EXPECT_TRUE(logins.is_signed_in(b, now));
  logins.sign_out_others(b);
  EXPECT_TRUE(logins.is_signed_in(b, now));
  EXPECT_FALSE(logins.is_signed_in(c, now));
}

TEST_F(LoginsTest, ComeBackAfterARestartIdleAsLongAsTheyWere) {
  const auto old = signed_in(Transport::kHttps);
  now += 29 * 24h;
  const auto fresh = signed_in(Transport::kHttp);
  const auto kept = logins.keep(now);
  ASSERT_EQ(kept.size(), 2U);
  const Time booted = Time{} + 3s;  // the clock of the next run begins anew
  Logins next(crypto, random);
  next.restore(kept, booted);
  EXPECT_EQ(next.expires_in(old, booted), 24h);
  EXPECT_EQ(next.expires_in(fresh, booted), 30 * 24h);
  auto elsewhere = fresh;
  elsewhere.transport = Transport::kHttps;
  EXPECT_FALSE(next.is_signed_in(elsewhere, booted));
  EXPECT_FALSE(next.is_signed_in(old, booted + 24h));
  EXPECT_TRUE(next.is_signed_in(fresh, booted + 24h));
}

TEST_F(LoginsTest, AreKeptByTheHourWhenOnlyTheirUseChanges) {
  (void)logins.keep(now);
  EXPECT_FALSE(logins.is_due(now + 59min));
  EXPECT_TRUE(logins.is_due(now + 60min));
  (void)logins.keep(now + 60min);
  EXPECT_FALSE(logins.is_due(now + 61min));
}

TEST_F(LoginsTest, IsBounded) {
  const auto first = signed_in(Transport::kHttps);
  now += 1s;
  for (std::size_t i = 0; i < Logins::kMaxSessions; ++i) {
    (void)logins.sign_in(Transport::kHttps, now);
  }
  EXPECT_FALSE(logins.is_signed_in(first, now));
}

}  // namespace
}  // namespace hearthcast::api
