// The API over real sockets: the control socket as the command line uses it, and the event stream.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "appliance/api/api_server.hpp"
#include "appliance/app/control_client.hpp"
#include "tests/unit/household/home.hpp"

namespace hearthcast::app {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

class NothingLive final : public api::LiveSource {
 public:
  api::LiveState live() const override { return {}; }
  multicast::MulticastStatus multicast() const override { return {}; }
};

// A connection that reads until something came, with a limit that only a broken program reaches.
class RawConnection {
 public:
  explicit RawConnection(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;
  ~RawConnection() { ::close(fd_); }

  void write(const std::string& text) {
    EXPECT_EQ(::write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  bool read_until(const std::string& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (received.find(wanted) == std::string::npos && std::chrono::steady_clock::now() < deadline) {
      pollfd ready{fd_, POLLIN, 0};
      char buffer[4096];
      if (::poll(&ready, 1, 1000) > 0) {
        const ssize_t got = ::read(fd_, buffer, sizeof buffer);
        if (got <= 0) {
          break;
        }
        received.append(buffer, static_cast<std::size_t>(got));
      }
    }
    return received.find(wanted) != std::string::npos;
  }
  std::string received;

 private:
  int fd_;
};

struct ControlSocketTest : testing::Test, protected household::testing_home::Home {
  ControlSocketTest() {
    EXPECT_TRUE(api.server().listen_unix(path.string()));
    thread = std::thread([this] { io.run(); });
  }
  ~ControlSocketTest() override {
    boost::asio::post(io, [this] { api.stop(); });
    thread.join();
    worker.reset();
  }
  json answer(const Asking& asking) {
    const auto got = ask(path, asking);
    EXPECT_TRUE(got) << got.error().text;
    return got && !got->empty() ? json::parse(*got) : json();
  }

  std::filesystem::path path = scratch / "box.sock";
  boost::asio::io_context io;
  std::unique_ptr<runtime::Worker> worker = std::make_unique<runtime::Worker>(io);
  NothingLive nothing;
  api::Services services{*household,  api::Logins(crypto, random), api::Throttle(), api::Throttle(60), {},
                         Clock::now()};
  api::ApiServer api{io, log, *worker, services, nothing};
  std::thread thread;
};

TEST_F(ControlSocketTest, AnswersWithoutLogin) {
  EXPECT_EQ(answer({.path = "/status"})["name"], "Home");
  EXPECT_EQ(answer({"POST", "/playlist", "udp://@239.1.1.1:5000\n", "audio/x-mpegurl"})["added"], 1);
  EXPECT_EQ(answer({.path = "/channels"})["channels"].size(), 1U);
  EXPECT_THAT(answer({"POST", "/pairings", "{}"})["link"].get<std::string>(), HasSubstr("hearthcast://"));
  EXPECT_EQ(answer({"DELETE", "/channels/1", ""}), json());
}

TEST_F(ControlSocketTest, RefusalsComeWithWordsAndAnExitCode) {
  const auto refused = ask(path, {"PATCH", "/devices/9", "{}"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().exit_code, 4);
  EXPECT_THAT(refused.error().text, HasSubstr("no such device"));
}

TEST_F(ControlSocketTest, WithoutAProgramBehindItTheCallerIsTold) {
  const auto nobody = ask(scratch / "other.sock", {.path = "/status"});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().exit_code, 3);
  EXPECT_THAT(nobody.error().text, HasSubstr("not running"));
}

TEST_F(ControlSocketTest, TheEventStreamTellsWhatChanges) {
  RawConnection reader(path.string());
  reader.write("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(reader.read_until("event: status"));
  EXPECT_TRUE(reader.read_until("event: viewers"));
  EXPECT_THAT(reader.received, HasSubstr("text/event-stream"));
  EXPECT_THAT(reader.received, HasSubstr("data: {\"live\":[],\"revision\":1}"));
  (void)answer({"POST", "/playlist", "udp://@239.1.1.1:5000\n", "audio/x-mpegurl"});
  EXPECT_TRUE(reader.read_until("data: {\"live\":[],\"revision\":2}"));
}

}  // namespace
}  // namespace hearthcast::app
