// The operator's requests as his commands make them, and what others see of them.
#include "rendezvous-server/api/admin.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <nlohmann/json.hpp>

#include "tests/unit/rendezvous_api/hub_world.hpp"
#include "tunnelmgr/http/client.hpp"

namespace hearthcast::rendezvous {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

class AdminTest : public HubTest {
 protected:
  http::Response ask(const std::string& method, const std::string& path, const std::string& body = "",
                     const std::optional<Endpoint>& at_port = {}) {
    http::ClientRequest request;
    if (at_port) {
      request.to.url = *http::Url::parse("http://" + at_port->to_string() + path);
    } else {
      request.to.unix_path = settings.control_socket;
      request.to.url.target = path;
    }
    request.method = method;
    request.body = body;
    std::optional<Result<http::Response, http::ClientFailure>> got;
    http::request(io, request, [&](auto result) { got = std::move(result); });
    EXPECT_TRUE(turn_until(io, [&] { return got.has_value(); }));
    EXPECT_TRUE(*got) << got->error().text;
    return **got;
  }
  json done(const std::string& path, const json& body = json::object()) {
    const http::Response response = ask("POST", path, body.dump());
    EXPECT_EQ(response.status, 200) << path << response.body;
    return json::parse(response.body);
  }
  std::string refused(const std::string& path, const json& body = json::object()) {
    const http::Response response = ask("POST", path, body.dump());
    EXPECT_EQ(response.status, 409) << path << response.body;
    return json::parse(response.body).at("text");
  }
  json list(const std::string& what) { return json::parse(ask("GET", "/" + what).body).at(what); }
  void reopen() {
    hub->stop();
    hub.reset();
    open();
  }
  std::string box_id() { return box.identity.id().to_string(); }
};

TEST_F(AdminTest, ATokenIsMadeUsedAndKeptAcrossARestart) {
  settings.policy.enrolment = Enrolment::kToken;
  open();
  done("/owners/add", {{"name", "Household"}});
  const json made =
      done("/tokens/add", {{"note", "for the attic"}, {"owner", "Household"}, {"uses", 1}, {"days", 7}});
  const std::string token = made.at("token");
  EXPECT_EQ(token.size(), 26U);
  json listed = list("tokens");
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].at("state"), "good");
  EXPECT_EQ(listed[0].at("uses_left"), 1);
  EXPECT_EQ(listed[0].at("owner"), "Household");
  EXPECT_EQ(listed[0].dump().find(token), std::string::npos) << "it is shown once";

  auto link = SignallingLink::make(io, log, Role::kBox, box.identity, random, at,
                                   [&](ClientAction event) { box.events.push_back(std::move(event)); });
  box.link = std::move(*link);
  box.link->set_enrolment(token);
  box.link->start();
  ASSERT_TRUE(wait_for<Joined>(box));
  listed = list("boxes");
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].at("box"), box_id());
  EXPECT_EQ(listed[0].at("owner"), "Household");
  EXPECT_EQ(listed[0].at("state"), "connected");
  reopen();
  EXPECT_EQ(list("boxes")[0].at("owner"), "Household");
  EXPECT_EQ(list("tokens")[0].at("state"), "used up");
  EXPECT_EQ(hub->status().enrolled_boxes, 1U);
}

TEST_F(AdminTest, ABoxWithoutATokenIsRefusedInWords) {
  settings.policy.enrolment = Enrolment::kToken;
  open();
  auto link = SignallingLink::make(io, log, Role::kBox, box.identity, random, at,
                                   [&](ClientAction event) { box.events.push_back(std::move(event)); });
  box.link = std::move(*link);
  box.link->start();
  ASSERT_TRUE(wait_for<Left>(box));
  EXPECT_EQ(box.link->refused(), ErrorCode::kNotEnrolled);
  EXPECT_THAT(box.link->last_error(), HasSubstr("rendezvous.token"));
  EXPECT_EQ(hub->status().counters.not_enrolled, 1U);
}

TEST_F(AdminTest, AHouseholdsBoxesAreNamedMovedClosedAndOpened) {
  open();
  join(box, Role::kBox);
  box.link->set_allowed({}, 1);
  ASSERT_TRUE(turn_until(io, [&] { return hub->status().enrolled_boxes == 1; }));
  done("/owners/add", {{"name", "Household"}});
  const std::string digits = box_id().substr(0, 8);
  done("/boxes/name", {{"box", digits}, {"name", "Attic"}});
  done("/boxes/move", {{"box", "Attic"}, {"owner", "Household"}});
  EXPECT_EQ(list("owners")[0].at("boxes"), 1);
  done("/boxes/close", {{"box", "Attic"}, {"reason", "unpaid"}});
  ASSERT_TRUE(wait_for<Left>(box));
  EXPECT_EQ(box.link->refused(), ErrorCode::kClosed);
  EXPECT_THAT(box.link->last_error(), HasSubstr("unpaid"));
  json listed = list("boxes")[0];
  EXPECT_EQ(listed.at("state"), "closed");
  EXPECT_EQ(listed.at("reason"), "unpaid");
  reopen();
  EXPECT_EQ(list("boxes")[0].at("name"), "Attic");
  EXPECT_EQ(hub->status().closed_boxes, 1U);
  done("/boxes/open", {{"box", "Attic"}});
  done("/boxes/move", {{"box", "Attic"}, {"owner", ""}});
  EXPECT_EQ(list("boxes")[0].at("state"), "away");
  EXPECT_EQ(list("boxes")[0].at("owner"), nullptr);
  done("/owners/remove", {{"name", "Household"}});
  done("/boxes/forget", {{"box", "Attic"}});
  reopen();
  EXPECT_EQ(list("boxes").size(), 0U);
  EXPECT_EQ(hub->status().known_boxes, 0U) << "its list is forgotten with it";
}

TEST_F(AdminTest, WhatCannotBeDoneIsSaid) {
  open();
  EXPECT_THAT(refused("/boxes/open", {{"box", "Attic"}}), HasSubstr("no box is called Attic"));
  EXPECT_THAT(refused("/boxes/paint", {{"box", box_id()}}), HasSubstr("no such operation"));
  EXPECT_THAT(refused("/boxes/move", {{"box", box_id()}, {"owner", "Bert"}}),
              HasSubstr("no owner is called Bert"));
  EXPECT_THAT(refused("/owners/add", {{"name", ""}}), HasSubstr("1 to 64"));
  EXPECT_THAT(refused("/owners/remove", {{"name", "Bert"}}), HasSubstr("no owner"));
  EXPECT_THAT(refused("/tokens/add", {{"uses", 0}}), HasSubstr("1 to 1000000 uses"));
  EXPECT_THAT(refused("/tokens/add", {{"days", "seven"}}), HasSubstr("3660 days"));
  EXPECT_THAT(refused("/tokens/add", {{"owner", "Bert"}}), HasSubstr("no owner"));
  EXPECT_THAT(refused("/tokens/revoke", {{"id", 9}}), HasSubstr("no token 9"));
  EXPECT_THAT(refused("/drain", {{"over_s", 3601}, {"retry_s", 1}}), HasSubstr("0 to 3600"));
  EXPECT_THAT(refused("/nonsense"), HasSubstr("no such operation"));
  EXPECT_EQ(ask("POST", "/owners/add", "[]").status, 400);
  EXPECT_EQ(ask("GET", "/nonsense").status, 404);
  EXPECT_EQ(ask("DELETE", "/boxes").status, 404);
}

TEST_F(AdminTest, OnlyTheControlSocketIsTheOperators) {
  settings.health = *Endpoint::parse("127.0.0.1:0");
  open();
  for (const char* path : {"/boxes", "/owners", "/tokens", "/status"}) {
    EXPECT_EQ(ask("GET", path, "", hub->health()).status, 404) << path;
  }
  EXPECT_EQ(ask("POST", "/drain", "", hub->health()).status, 404);
  http::ClientRequest request;
  request.to.url = *http::Url::parse("https://" + hub->listening().to_string() + "/boxes");
  request.to.tls = *secure::TlsContext::pinned_client(server_identity.id().digest);
  std::optional<Result<http::Response, http::ClientFailure>> got;
  http::request(io, request, [&](auto result) { got = std::move(result); });
  ASSERT_TRUE(turn_until(io, [&] { return got.has_value(); }));
  ASSERT_TRUE(*got);
  EXPECT_EQ((*got)->status, 404);
}

TEST_F(AdminTest, AChangeThatCannotBeStoredIsToldAndKeptInMind) {
  settings.health = *Endpoint::parse("127.0.0.1:0");
  open();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(settings.database.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "ALTER TABLE owner RENAME TO elsewhere", nullptr, nullptr, nullptr),
            SQLITE_OK);
  const http::Response response = ask("POST", "/owners/add", R"({"name":"Household"})");
  EXPECT_EQ(response.status, 507);
  EXPECT_THAT(response.body, HasSubstr("tried again"));
  EXPECT_EQ(list("owners").size(), 1U) << "it is in force";
  const http::Response ready = ask("GET", "/readyz", "", hub->health());
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, HasSubstr("database"));
  EXPECT_EQ(ask("GET", "/healthz", "", hub->health()).status, 200) << "a restart would not mend it";
  ASSERT_EQ(sqlite3_exec(other, "ALTER TABLE elsewhere RENAME TO owner", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(other);
  done("/owners/add", {{"name", "Bert"}});
  EXPECT_EQ(ask("GET", "/readyz", "", hub->health()).status, 200);
  reopen();
  EXPECT_EQ(list("owners").size(), 2U) << "in their order";
}

TEST_F(AdminTest, DrainingIsSeenByBalancersAndTold) {
  settings.health = *Endpoint::parse("127.0.0.1:0");
  open();
  join(box, Role::kBox);
  EXPECT_EQ(ask("GET", "/readyz", "", hub->health()).body, "ready\n");
  done("/drain", {{"over_s", 0}, {"retry_s", 3600}});
  ASSERT_TRUE(wait_for<Left>(box));
  EXPECT_GE(box.find<Left>()->retry_at - Clock::now(), 59min);
  const http::Response response = ask("GET", "/readyz", "", hub->health());
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("drained"));
  EXPECT_TRUE(hub->status().draining);
  done("/resume");
  EXPECT_EQ(ask("GET", "/readyz", "", hub->health()).status, 200);
}

TEST_F(AdminTest, MetricsAreWholeAndNameNobody) {
  settings.health = *Endpoint::parse("127.0.0.1:0");
  open();
  join(box, Role::kBox);
  box.link->set_allowed({device.identity.id()}, 1);
  ASSERT_TRUE(turn_until(io, [&] { return hub->status().known_boxes == 1; }));
  const http::Response response = ask("GET", "/metrics", "", hub->health());
  EXPECT_THAT(std::string(response.headers.get("Content-Type")), HasSubstr("version=0.0.4"));
  for (const char* line :
       {"hearthcast_rendezvous_ready 1\n", "hearthcast_rendezvous_sessions{role=\"box\"} 1\n",
        "hearthcast_rendezvous_directory_boxes{state=\"open\"} 1\n", "hearthcast_rendezvous_allow_lists 1\n",
        "hearthcast_rendezvous_hellos_total{result=\"welcome\"} 1\n",
        "hearthcast_rendezvous_enrolled_total 1\n", "# TYPE hearthcast_rendezvous_limited_total counter\n"}) {
    EXPECT_THAT(response.body, HasSubstr(line));
  }
  EXPECT_EQ(response.body.find(box_id().substr(0, 8)), std::string::npos);
  EXPECT_EQ(response.body.find("127.0.0.1"), std::string::npos);
}

TEST_F(AdminTest, HealthIsNowhereUnlessAsked) {
  open();
  EXPECT_FALSE(hub->health());
  EXPECT_EQ(ask("GET", "/readyz").status, 200) << "but on the control socket";
}

TEST_F(AdminTest, ABackupHoldsWhatWasAcknowledged) {
  open();
  done("/owners/add", {{"name", "Household"}});
  const std::filesystem::path file = done("/backup").at("file").get<std::string>();
  EXPECT_TRUE(check_database(file));
  auto copy = Store::open(file);
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->store.load_directory()->owners.at(0).name, "Household");
}

TEST_F(AdminTest, WithoutADatabaseTheDirectoryWorksAndSaysThatItStoresNothing) {
  settings.database.clear();
  open();
  done("/owners/add", {{"name", "Household"}});
  EXPECT_EQ(list("owners").size(), 1U);
  EXPECT_THAT(refused("/backup"), HasSubstr("stores nothing"));
}

}  // namespace
}  // namespace hearthcast::rendezvous
