#include "appliance/api/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "tests/unit/api/browser.hpp"

namespace hearthcast::api {
namespace {

using testing::HasSubstr;

// "GET /channels/{id}" of each operation in openapi.yaml: paths are indented by two, methods by four.
std::set<std::string> documented() {
  std::ifstream file("appliance/api/openapi.yaml");
  std::set<std::string> operations;
  std::string line, path;
  bool in_paths = false;
  while (std::getline(file, line)) {
    if (!line.empty() && line[0] != ' ' && line[0] != '#') {
      in_paths = line == "paths:";
    } else if (in_paths && line.rfind("  /", 0) == 0) {
      path = line.substr(2, line.size() - 3);
    } else if (in_paths && line.size() > 5 && line.rfind("    ", 0) == 0 && line[4] != ' ' &&
               line.back() == ':') {
      std::string method = line.substr(4, line.size() - 5);
      for (char& c : method) {
        c = static_cast<char>(std::toupper(c));
      }
      if (method != "PARAMETERS") {
        operations.insert(method.append(" ").append(path));
      }
    }
  }
  return operations;
}

std::string concrete(std::string_view pattern) {
  std::string path(pattern);
  if (const auto at = path.find("{id}"); at != std::string::npos) {
    path.replace(at, 4, "1");
  }
  return "/api/v1" + path;
}

class RouterTest : public testing::Test, protected testing_browser::Browser {};

TEST_F(RouterTest, RoutesAreExactlyWhatIsDocumented) {
  std::set<std::string> routed;
  for (const Route& route : routes()) {
    routed.insert(std::string(route.method) + " " + std::string(route.pattern));
  }
  EXPECT_EQ(routed, documented());
  EXPECT_GT(routed.size(), 15U);
}

TEST_F(RouterTest, NothingOfTheOwnersIsThereWithoutASession) {
  set_up();
  cookie.clear();
  for (const Route& route : routes()) {
    const auto got = send(std::string(route.method), concrete(route.pattern), "{}");
    SCOPED_TRACE(std::string(route.method) + " " + std::string(route.pattern));
    if (route.need == Need::kOwner) {
      EXPECT_EQ(got.status, 401);
      EXPECT_EQ(got.code(), "not_signed_in");
    } else if (route.need == Need::kControlSocket) {
      EXPECT_EQ(got.status, 404);
    } else {
      EXPECT_FALSE(got.status == 401 && got.code() == "not_signed_in");
    }
  }
}

TEST_F(RouterTest, EveryRequestThatChangesSomethingNeedsTheHeader) {
  set_up();
  int changing = 0;
  for (const http::Transport over : {http::Transport::kHttps, http::Transport::kUnix}) {
    transport = over;
    forge_proof = false;
    for (const Route& route : routes()) {
      const bool hidden = route.need == Need::kControlSocket && over != http::Transport::kUnix;
      if (route.method == "GET" || hidden) {
        continue;
      }
      SCOPED_TRACE(std::string(route.method) + " " + std::string(route.pattern));
      const auto got = send(std::string(route.method), concrete(route.pattern), "{}");
      EXPECT_EQ(got.status, 403);
      EXPECT_EQ(got.code(), "missing_header");
      ++changing;
    }
  }
  EXPECT_GT(changing, 20);
}

TEST_F(RouterTest, OnTheControlSocketNobodySignsIn) {
  use_control_socket();
  host = "";
  for (const Route& route : routes()) {
    if (route.method == "GET") {
      SCOPED_TRACE(std::string(route.pattern));
      EXPECT_EQ(send("GET", concrete(route.pattern)).status, 200);
    }
  }
}

TEST_F(RouterTest, OtherNamesOfOtherPeopleAreRefused) {
  set_up();
  host = "evil.example";
  for (const char* path : {"/api/v1/status", "/api/v1/devices", "/", "/index.html"}) {
    const auto got = send("GET", path);
    EXPECT_EQ(got.status, 421) << path;
    EXPECT_EQ(got.code(), "unknown_host");
  }
  host = "tv.local:8871";
  EXPECT_EQ(get("/devices").status, 200);
}

TEST_F(RouterTest, UnknownPathsAndMethods) {
  set_up();
  for (const char* path : {"/nothing", "/channels/", "/channels/0", "/channels/-1", "/channels/1x",
                           "/channels/1/2", "/channels/99999999999999999999", ""}) {
    const auto got = get(path);
    EXPECT_EQ(got.status, 404) << path;
    EXPECT_EQ(got.code(), "not_found") << path;
  }
  const auto got = send("PUT", "/api/v1/channels");
  EXPECT_EQ(got.status, 405);
  EXPECT_EQ(got.headers.get("allow"), "GET");
  EXPECT_EQ(send("BREW", "/api/v1/session").headers.get("allow"), "GET, POST, DELETE");
}

TEST_F(RouterTest, HeadIsAnsweredLikeGet) { EXPECT_EQ(send("HEAD", "/api/v1/status").status, 200); }

TEST_F(RouterTest, BadBodiesGetAReason) {
  set_up();
  EXPECT_EQ(send("POST", "/api/v1/session", "{}", "text/plain").status, 415);
  EXPECT_EQ(send("POST", "/api/v1/session", "{").status, 400);
  EXPECT_EQ(send("POST", "/api/v1/session", "[]").status, 400);
  EXPECT_EQ(send("POST", "/api/v1/session", std::string(10'000, '[')).status, 400);
  EXPECT_EQ(post("/session", {{"password", 5}}).code(), "invalid_field");
  EXPECT_EQ(post("/session", {{"password", std::string(300, 'x')}}).code(), "invalid_field");
  EXPECT_EQ(send("POST", "/api/v1/session", "{\"password\":\"x\"}", "Application/JSON; charset=utf-8").status,
            401);
}

TEST_F(RouterTest, ResponsesAreForThisPageOnlyAndNotKept) {
  const auto got = get("/status");
  EXPECT_EQ(got.headers.get("x-content-type-options"), "nosniff");
  EXPECT_EQ(got.headers.get("cache-control"), "no-store");
  EXPECT_EQ(got.headers.get("cross-origin-resource-policy"), "same-origin");
  EXPECT_FALSE(got.headers.has("access-control-allow-origin"));
}

TEST_F(RouterTest, ServesItsDescription) {
  const auto got = get("/openapi.yaml");
  EXPECT_EQ(got.headers.get("content-type"), "application/yaml");
  std::ifstream file("appliance/api/openapi.yaml");
  EXPECT_EQ(got.text, std::string(std::istreambuf_iterator<char>(file), {}));
}

TEST_F(RouterTest, OnlyAPlaylistMayBeLarge) {
  http::Request head;
  head.method = "POST";
  head.path = "/api/v1/playlist";
  EXPECT_EQ(body_limit(head), 4U << 20);
  head.method = "PUT";
  EXPECT_LT(body_limit(head), 100'000U);
  head.method = "POST";
  head.path = "/api/v1/session";
  EXPECT_LT(body_limit(head), 100'000U);
}

TEST_F(RouterTest, APlaylistOfNobodyIsNotEvenRead) {
  const auto status = [](const http::Request& head) {
    const auto refusal = refuse_large(head);
    return refusal ? refusal->status : 0;
  };
  http::Request head;
  head.method = "POST";
  head.path = "/api/v1/playlist";
  head.transport = http::Transport::kHttps;
  EXPECT_EQ(status(head), 403);
  head.headers.set("X-Hearthcast", "1");
  EXPECT_EQ(status(head), 401);
  head.headers.set("Cookie", "hearthcast-lan=x");
  EXPECT_EQ(status(head), 401) << "of the other transport";
  head.headers.set("Cookie", "__Host-hearthcast=x");
  EXPECT_EQ(status(head), 0) << "whether it is one is seen later";
  head.headers.set("Cookie", "");
  head.transport = http::Transport::kUnix;
  EXPECT_EQ(status(head), 0);
  head.transport = http::Transport::kHttps;
  head.path = "/api/v1/session";
  EXPECT_EQ(status(head), 0);
}

TEST_F(RouterTest, TheWebPageIsServedWithAStrictPolicy) {
  const auto page = send("GET", "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.get("content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(std::string(page.headers.get("content-security-policy")), HasSubstr("default-src 'none'"));
  EXPECT_EQ(page.headers.get("cache-control"), "no-cache");
  EXPECT_EQ(page.text.substr(0, 2), "\x1f\x8b");
  EXPECT_EQ(page.headers.get("content-encoding"), "gzip");
  EXPECT_EQ(send("POST", "/").status, 405);
  EXPECT_EQ(send("GET", "/../etc/passwd").status, 404);
  EXPECT_EQ(send("GET", "/api/v2/status").status, 404);
}

}  // namespace
}  // namespace hearthcast::api
