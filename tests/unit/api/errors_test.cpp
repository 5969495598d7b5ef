// Every way in which a request can be wrong, and what exactly it is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "appliance/api/problem.hpp"
#include "tests/unit/api/browser.hpp"

namespace hearthcast::api {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_browser::Answer;
using testing_browser::json;

std::string openapi() {
  std::ifstream file("appliance/api/openapi.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A whole problem document, of the documented form.
void expect_problem(const Answer& got, int status, const std::string& code, const std::string& field = "") {
  static const std::string documented = openapi();
  EXPECT_EQ(got.status, status) << got.text;
  EXPECT_EQ(got.headers.get("content-type"), "application/problem+json") << got.text;
  const json body = json::parse(got.text, nullptr, false);
  ASSERT_TRUE(body.is_object()) << got.text;
  EXPECT_EQ(body.value("status", 0), status) << got.text;
  EXPECT_EQ(body.value("code", ""), code) << got.text;
  EXPECT_EQ(body.value("field", ""), field) << got.text;
  EXPECT_FALSE(body.value("title", "").empty()) << got.text;
  EXPECT_THAT(documented, HasSubstr("            - " + code + "\n")) << "not in openapi.yaml: " << code;
}

class ErrorsTest : public testing::Test, protected testing_browser::Browser {
 protected:
  ErrorsTest() {
    set_up();
    (void)add_channel("News", "239.1.1.1");  // channel 1
    (void)pair(device);                      // device 1
  }
  secure::OpenSslIdentity device = secure::make_identity();
};

TEST_F(ErrorsTest, EachFieldOfEachRequestIsChecked) {
  const std::string octets300(300, 'x');
  const std::string octets1100(1100, 'x');
  const struct {
    const char* method;
    const char* path;
    json body;
    int status;
    const char* code;
    const char* field;
  } cases[] = {
      {"PATCH", "/channels/1", {{"name", 5}}, 422, "invalid_field", "name"},
      {"PATCH", "/channels/1", {{"name", nullptr}}, 422, "invalid_field", "name"},
      {"PATCH", "/channels/1", {{"name", json::array({"a"})}}, 422, "invalid_field", "name"},
      {"PATCH", "/channels/1", {{"name", ""}}, 422, "invalid_field", "name"},
      {"PATCH", "/channels/1", {{"name", "\t\r\n "}}, 422, "invalid_field", "name"},
      {"PATCH", "/channels/1", {{"name", octets300}}, 422, "invalid_field", "name"},
      {"PATCH", "/channels/1", {{"name", std::string(121, 'x')}}, 422, "invalid_field", "name"},
      {"PATCH", "/channels/2", {{"name", "x"}}, 404, "not_found", ""},
      {"DELETE", "/channels/2", {}, 404, "not_found", ""},
      {"PATCH", "/devices/1", {{"name", false}}, 422, "invalid_field", "name"},
      {"PATCH", "/devices/1", {{"name", octets300}}, 422, "invalid_field", "name"},
      {"PATCH", "/devices/1", {{"state", "Approved"}}, 422, "invalid_field", "state"},
      {"PATCH", "/devices/1", {{"state", "approved "}}, 422, "invalid_field", "state"},
      {"PATCH", "/devices/1", {{"state", octets300}}, 422, "invalid_field", "state"},
      {"PATCH", "/devices/1", {{"state", {{"a", 1}}}}, 422, "invalid_field", "state"},
      {"PATCH", "/devices/1", {{"channels", nullptr}}, 422, "invalid_field", "channels"},
      {"PATCH", "/devices/1", {{"channels", "ALL"}}, 422, "invalid_field", "channels"},
      {"PATCH", "/devices/1", {{"channels", {{"1", true}}}}, 422, "invalid_field", "channels"},
      {"PATCH", "/devices/1", {{"channels", {1, -1}}}, 422, "invalid_field", "channels"},
      {"PATCH", "/devices/1", {{"channels", {1, 2}}}, 422, "invalid_field", "channels"},
      {"PATCH", "/devices/1", {{"channels", {18446744073709551615U}}}, 422, "invalid_field", "channels"},
      {"PATCH", "/devices/1", {{"channels", {1e99}}}, 422, "invalid_field", "channels"},
      {"PATCH", "/devices/2", json::object(), 404, "not_found", ""},
      {"DELETE", "/devices/2", {}, 404, "not_found", ""},
      {"DELETE", "/pairings/9", {}, 404, "not_found", ""},
      {"POST", "/setup", {{"setup_code", "x"}}, 409, "already_set_up", ""},
      {"POST", "/setup", {{"setup_code", 5}}, 409, "already_set_up", ""},
      {"POST", "/session", {{"password", nullptr}}, 422, "invalid_field", "password"},
      {"POST", "/session", {{"password", octets1100}}, 422, "invalid_field", "password"},
      {"POST", "/session", {{"Password", kPassword}}, 401, "wrong_password", ""},
      {"PUT", "/password", json::object(), 403, "wrong_password", ""},
      {"PUT", "/password", {{"current_password", 1}}, 422, "invalid_field", "current_password"},
      {"PUT", "/password", {{"new_password", 1}}, 422, "invalid_field", "new_password"},
      {"PUT", "/password", {{"current_password", kPassword}}, 422, "weak_password", ""},
      {"PUT",
       "/password",
       {{"current_password", kPassword}, {"new_password", octets300}},
       422,
       "invalid_field",
       "new_password"},
      {"POST", "/pair", {{"public_key", "AAAA"}}, 400, "bad_request", ""},
      {"POST", "/channels", json::object(), 405, "method_not_allowed", ""},
      {"GET", "/setup/code", {}, 404, "not_found", ""},
      {"GET", "/nothing", {}, 404, "not_found", ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.method) + " " + c.path + " " + c.body.dump().substr(0, 80));
    expect_problem(send(c.method, std::string("/api/v1") + c.path, c.body.dump()), c.status, c.code, c.field);
    now += std::chrono::minutes{20};  // not what throttles are about
  }
  EXPECT_EQ(household->access().catalogue().find(ChannelId{1})->name, "News");
  EXPECT_EQ(household->access().devices().find(DeviceId{1})->name, "laptop");
  EXPECT_EQ(household->access().devices().find(DeviceId{1})->state, access::DeviceState::kPending);
  EXPECT_TRUE(household->is_password(kPassword));
}

TEST_F(ErrorsTest, EachBodyHasToBeAJsonObject) {
  const std::pair<const char*, const char*> routes[] = {{"POST", "/setup"},
                                                        {"POST", "/session"},
                                                        {"PUT", "/password"},
                                                        {"PATCH", "/channels/1"},
                                                        {"PATCH", "/devices/1"}};
  const std::string deep(60'000, '[');
  for (const auto& [method, path] : routes) {
    SCOPED_TRACE(path);
    const std::string at = std::string("/api/v1") + path;
    for (const std::string& body :
         {std::string(), std::string("null"), std::string("true"), std::string("1"), std::string("\"x\""),
          std::string("[]"), std::string("{"), std::string("{}{}"), std::string("{\"a\":}"),
          std::string("{'a':1}"), std::string("{\"a\":1,}"), std::string("\xef\xbb\xbf"),
          std::string("{\"name\":\"\xff\"}"), std::string("{\"name\":\"\\ud800\"}"), deep}) {
      expect_problem(send(method, at, body), 400, "bad_request");
    }
    for (const char* type :
         {"", "text/plain", "application/jsonp", "multipart/form-data", "application/json2"}) {
      expect_problem(send(method, at, "{}", type), 415, "unsupported_media_type");
    }
    EXPECT_NE(send(method, at, "{}", " Application/Json ; charset=utf-8").status, 415);
  }
}

TEST_F(ErrorsTest, ASecretIsNeverSaidBack) {
  const std::string secret = "hunter2-hunter2";
  for (const auto& got : {post("/session", {{"password", secret}}),
                          put("/password", {{"current_password", secret}, {"new_password", secret}}),
                          post("/setup", {{"setup_code", secret}, {"password", secret}}),
                          get("/session?password=" + secret), send("POST", "/api/v1/session", secret)}) {
    EXPECT_THAT(got.text, Not(HasSubstr(secret)));
  }
}

TEST_F(ErrorsTest, WhatStrangersWroteIsOnlyEverText) {
  for (const std::string& name :
       {std::string("</script><script>alert(1)</script>"), std::string("\"},{\"id\":9"),
        std::string("a\u202eb"), std::string("\U0001f4fa TV")}) {
    ASSERT_EQ(patch("/channels/1", {{"name", name}}).status, 200);
    const json listed = get("/channels").body()["channels"];
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0]["id"], 1);
    EXPECT_THAT(listed[0]["name"].get<std::string>(), Not(HasSubstr("\u202e"))) << "no reordering marks";
  }
}

TEST_F(ErrorsTest, AFullDiskRefusesEachChangeAndKeepsWhatWasThere) {
  // Grows until a page is full; what fails must fail whole.
  fill_disk();
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += "#EXTINF:-1," + std::string(60, 'n') + "\nudp://@239.2.2.2:" + std::to_string(5000 + i) + "\n";
  }
  expect_problem(send("POST", "/api/v1/playlist", text, "text/plain"), 507, "storage_full");
  EXPECT_EQ(get("/channels").body()["channels"].size(), 1U);
  free_disk();
  EXPECT_EQ(send("POST", "/api/v1/playlist", text, "text/plain").body()["added"], 200);
}

TEST_F(ErrorsTest, ABrokenDatabaseIsSaidInWordsAndChangesNothing) {
  ASSERT_TRUE(household->store().database().run_script("PRAGMA query_only = 1"));
  expect_problem(patch("/channels/1", {{"name", "other"}}), 500, "internal");
  expect_problem(remove("/channels/1"), 500, "internal");
  expect_problem(patch("/devices/1", {{"state", "approved"}}), 500, "internal");
  expect_problem(remove("/devices/1"), 500, "internal");
  expect_problem(put("/password", {{"current_password", kPassword}, {"new_password", "another password"}}),
                 500, "internal");
  expect_problem(send("POST", "/api/v1/playlist", "udp://@239.9.9.9:5000\n", "text/plain"), 500, "internal");
  ASSERT_TRUE(household->store().database().run_script("PRAGMA query_only = 0"));
  EXPECT_EQ(get("/channels").body()["channels"][0]["name"], "News");
  EXPECT_EQ(get("/devices").body()["devices"][0]["state"], "pending");
  EXPECT_TRUE(household->is_password(kPassword));
  EXPECT_EQ(patch("/channels/1", {{"name", "other"}}).status, 200) << "and it recovers";
}

TEST_F(ErrorsTest, PasswordsAreMeasuredInCharacters) {
  use_control_socket();
  const auto change = [&](const std::string& password) {
    return put("/password", {{"new_password", password}});
  };
  expect_problem(change("\u00e4\u00e4\u00e4\u00e4\u00e4"), 422,
                 "weak_password");  // ten octets, five characters
  EXPECT_EQ(change("\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4").status, 204);
  std::string long_one;
  for (int i = 0; i < 256; ++i) {
    long_one += "\u6f22";
  }
  EXPECT_EQ(change(long_one).status, 204);
  EXPECT_TRUE(household->is_password(long_one));
  expect_problem(change(long_one + "x"), 422, "invalid_field", "new_password");
}

TEST_F(ErrorsTest, ThrottlesCountFailuresOnlyAndByAddress) {
  cookie.clear();
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(post("/session", {{"password", kPassword}}).status, 200) << i;
    cookie.clear();
  }
  for (int i = 0; i < 5; ++i) {
    (void)post("/session", {{"password", "wrong"}});
  }
  expect_problem(post("/session", {{"password", kPassword}}), 429, "too_many_attempts");
  expect_problem(post("/session", {{"password", 5}}), 422, "invalid_field", "password");  // no guess
  transport = http::Transport::kUnix;
  EXPECT_EQ(post("/session", {{"password", kPassword}}).status, 200)
      << "the box's own console is never shut out";
}

TEST(RefusedUnread, HasTheDocumentedCodes) {
  const struct {
    int status;
    const char* code;
  } cases[] = {{400, "bad_request"}, {404, "not_found"}, {413, "too_large"}, {431, "too_large"}};
  for (const auto& c : cases) {
    const http::Response got = refused_unread(c.status, "Something is wrong with it.\n");
    expect_problem({got.status, got.headers, got.body}, c.status, c.code);
    EXPECT_EQ(json::parse(got.body)["detail"], "Something is wrong with it.");
  }
}

TEST(Documentation, EachCodeThatIsDocumentedIsUsed) {
  std::string sources;
  for (const auto& file : std::filesystem::directory_iterator("appliance/api")) {
    if (file.path().extension() == ".cpp") {
      std::ifstream in(file.path());
      std::ostringstream text;
      text << in.rdbuf();
      sources += text.str();
    }
  }
  std::istringstream yaml(openapi());
  bool in_codes = false;
  int codes = 0;
  for (std::string line; std::getline(yaml, line);) {
    if (line == "        code:") {
      in_codes = true;
    } else if (in_codes && line.rfind("            - ", 0) == 0) {
      ++codes;
      EXPECT_THAT(sources, HasSubstr("\"" + line.substr(14) + "\""));
    } else if (line.rfind("        field:", 0) == 0) {
      in_codes = false;
    }
  }
  EXPECT_GE(codes, 20);
}

}  // namespace
}  // namespace hearthcast::api
