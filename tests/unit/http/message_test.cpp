#include "tunnelmgr/http/message.hpp"

#include <gmock/gmock.h>

namespace hearthcast::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

Request request_for(std::string target) {
  Request request;
  request.target = std::move(target);
  return request;
}

TEST(Headers, CompareNamesWithoutCaseAndKeepSeveral) {
  Headers headers{{"Set-Cookie", "a=1"}};
  headers.add("set-cookie", "b=2");
  EXPECT_EQ(headers.get("SET-COOKIE"), "a=1");
  EXPECT_EQ(headers.entries().size(), 2U);
  headers.set("Set-Cookie", "c=3");
  EXPECT_THAT(headers.entries(), ElementsAre(Pair("Set-Cookie", "c=3")));
  EXPECT_FALSE(headers.has("Host"));
  EXPECT_EQ(headers.get("Host"), "");
}

TEST(Target, SplitsPathAndQuery) {
  Request request = request_for("/channel/caf%C3%A9?name=a+b%26c&flag&x=");
  ASSERT_TRUE(split_target(request));
  EXPECT_EQ(request.path, "/channel/caf\xC3\xA9");
  EXPECT_THAT(request.query, ElementsAre(Pair("name", "a b&c"), Pair("flag", ""), Pair("x", "")));
  EXPECT_EQ(request.query_value("flag"), "");
  EXPECT_EQ(request.query_value("none"), std::nullopt);
}

TEST(Target, PlusInAPathStaysAPlus) {
  Request request = request_for("/a+b");
  ASSERT_TRUE(split_target(request));
  EXPECT_EQ(request.path, "/a+b");
}

TEST(Target, RefusesWhatIsNotAPath) {
  for (const char* bad : {"", "*", "http://host/", "a", "/%", "/%4", "/%zz", "/a?b=%1", "/a?%g0=1", "/%00"}) {
    Request request = request_for(bad);
    EXPECT_FALSE(split_target(request)) << bad;
  }
}

TEST(UrlTest, ReadsSchemesPortsAndBrackets) {
  const auto plain = Url::parse("wss://Rendezvous.example/v1?x=1");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "Rendezvous.example");
  EXPECT_EQ(plain->port, 443);
  EXPECT_EQ(plain->target, "/v1?x=1");
  EXPECT_EQ(plain->authority(), "Rendezvous.example");
  const auto bracketed = Url::parse("HTTPS://[2001:db8::1]:8871");
  ASSERT_TRUE(bracketed);
  EXPECT_EQ(bracketed->host, "2001:db8::1");
  EXPECT_EQ(bracketed->port, 8871);
  EXPECT_EQ(bracketed->target, "/");
  EXPECT_EQ(bracketed->authority(), "[2001:db8::1]:8871");
  EXPECT_TRUE(bracketed->is_tls());
  EXPECT_EQ(Url::parse("http://h?q")->target, "/?q");
}

TEST(UrlTest, RefusesNonsense) {
  for (const char* bad :
       {"", "host", "ftp://h/", "http://", "http://:80", "http://h:0", "http://h:99999",
        "http://h:", "http://[::1", "http://[x]", "http://u@h/", "http://h/a b", "http://h#f", "http://h/#f",
        "http://h/a?b#f", "http://h:8 0", "http://[::1]80", "http://h/\r\nX: y"}) {
    EXPECT_FALSE(Url::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace hearthcast::http
