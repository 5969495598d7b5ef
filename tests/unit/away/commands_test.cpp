// What `hearthcast-away status` and its likes print and return, before a program that answers what the test
// wants, or nothing.
#include "tunnelmgr/away/commands.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/unit/sqlite/scratch.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace hearthcast::away {
namespace {

using testing::HasSubstr;
using testing_scratch::Scratch;

// Takes one connection, reads a request without body, answers with these octets and closes.
class OneAnswer {
 public:
  OneAnswer(const std::string& path, std::string answer)
      : listening_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), answer_(std::move(answer)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listening_.get(), 1) != 0) {
      throw std::runtime_error("cannot listen on " + path);
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~OneAnswer() {
    ::shutdown(listening_.get(), SHUT_RDWR);
    thread_.join();
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;

 private:
  void serve() const {
    const linux::Fd connection(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string request;
    while (connection && request.find("\r\n\r\n") == std::string::npos) {
      std::array<char, 4096> part{};
      const auto size = ::read(connection.get(), part.data(), part.size());
      if (size <= 0) {
        return;
      }
      request.append(part.data(), static_cast<std::size_t>(size));
    }
    for (std::size_t sent = 0; connection && sent < answer_.size();) {
      const auto size = ::send(connection.get(), answer_.data() + sent, answer_.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) {
        return;
      }
      sent += static_cast<std::size_t>(size);
    }
  }

  linux::Fd listening_;
  std::string answer_;
  std::thread thread_;
};

std::string http(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class AwayCommands : public testing::Test {
 protected:
  struct Said {
    int code;
    std::string out;
    std::string err;
  };
  template <class Command>
  static Said said(Command command) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = command();
    return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
  }
  Said status_of(const std::string& answer, bool json = false) {
    const OneAnswer program(socket, answer);
    return said([&] { return ask_status(socket, json); });
  }
  Said channels_of(const std::string& answer) {
    const OneAnswer program(socket, answer);
    return said([&] { return ask_channels(socket, false); });
  }

  Scratch scratch;
  std::string socket = (scratch / "control.sock").string();
};

TEST_F(AwayCommands, CountersBeyondThirtyTwoBitsAreWhole) {
  const auto shown = status_of(
      http("200 OK", R"({"text":"connected to Home","rendezvous":"connected","channels":2,)"
                     R"("relay":{"policy":"auto","text":"where no direct path is found"},)"
                     R"("path":{"endpoint":"192.0.2.1:4755","type":"host"},)"
                     R"("streams":[{"channel":5000000001,"players":2,"bits_per_second":9000000000,)"
                     R"("packets":5000000002,"repaired":5000000004,"lost":5000000003,"delay_ms":273}],)"
                     R"("narrow":[{"address":"232.1.1.1:5000","text":"about 3 would fit"}]})"));
  EXPECT_EQ(shown.code, runtime::kFine);
  EXPECT_EQ(shown.out,
            "connected to Home\npath: 192.0.2.1:4755 (host)\nrendezvous: connected\n"
            "relay: where no direct path is found\nchannels: 2\n"
            "channel 5000000001: 2 players, 9000000 kbit/s, 5000000002 packets, 5000000004 repaired, "
            "5000000003 lost; "
            "waits up to 273 ms for a repair\n232.1.1.1:5000: about 3 would fit\n");
  EXPECT_EQ(shown.err, "");
}

TEST_F(AwayCommands, WhatChannelsAreInIsToldAndLossesOnlyWhereTheyAreKnown) {
  const auto shown =
      status_of(http("200 OK", R"({"text":"connected","rendezvous":"connected","channels":1,)"
                               R"("encapsulation":{"asked":"6in4","granted":"6in4","text":"6in4"},)"
                               R"("streams":[{"channel":1,"players":1,"bits_per_second":8000000,"packets":9,)"
                               R"("repaired":0,"lost":0,"delay_ms":150,"form":"6in4"}]})"));
  EXPECT_EQ(shown.out,
            "connected\nin DTLS: 6in4\nrendezvous: connected\nrelay: not known\nchannels: 1\n"
            "channel 1: 1 players, 8000 kbit/s, 9 packets, without numbers: what is lost is not known\n");
}

TEST_F(AwayCommands, JsonIsPassedOn) {
  const auto shown = status_of(http("200 OK", R"({"packets":18446744073709551615})"), true);
  EXPECT_EQ(shown.out, "{\"packets\":18446744073709551615}\n");
}

TEST_F(AwayCommands, ChannelsAreALineEach) {
  const auto shown = channels_of(
      http("200 OK", R"({"channels":[{"id":5000000001,"name":"One","address":"udp://@239.1.1.1:5000"}]})"));
  EXPECT_EQ(shown.out, "5000000001\tOne\tudp://@239.1.1.1:5000\n");
  ::unlink(socket.c_str());
  EXPECT_THAT(channels_of(http("200 OK", R"({"channels":[]})")).out, HasSubstr("No channels yet"));
}

TEST_F(AwayCommands, WhereTheBoxIsLookedForIsALineEach) {
  const OneAnswer program(
      socket,
      http("200 OK", R"({"manual":["home.example.net:4755"],"told":["198.51.100.2:4755"],)"
                     R"("reached":[],"introduced":["192.0.2.1:1"],"rendezvous":"wss://r.example/v1"})"));
  const auto shown = said([&] { return ask_reach(socket, {"home.example.net"}, true, false); });
  EXPECT_EQ(shown.code, runtime::kFine);
  EXPECT_EQ(shown.out,
            "by hand:    home.example.net:4755\ntold:       198.51.100.2:4755\n"
            "introduced: 192.0.2.1:1\nrendezvous: wss://r.example/v1\n");
}

TEST_F(AwayCommands, AnAddressThatIsNoneIsRefusedInTheProgramsWords) {
  const OneAnswer program(socket, http("422 No", R"({"code":"bad_address","text":"x is no address"})"));
  const auto shown = said([&] { return ask_reach(socket, {"x"}, true, true); });
  EXPECT_EQ(shown.code, runtime::kRefused);
  EXPECT_EQ(shown.out, "");
  EXPECT_EQ(shown.err, "hearthcast-away: x is no address\n");
}

TEST_F(AwayCommands, AnotherRendezvousIsShownWhenItIsTaken) {
  const OneAnswer program(socket, http("200 OK", R"({"manual":[],"rendezvous":"wss://other.example/v1"})"));
  const auto shown = said([&] { return ask_rendezvous(socket, "wss://other.example/v1", "webpki", false); });
  EXPECT_EQ(shown.code, runtime::kFine);
  EXPECT_EQ(shown.out, "rendezvous: wss://other.example/v1\n");
}

TEST_F(AwayCommands, NobodyThereIsNotRunning) {
  for (const auto& shown :
       {said([&] { return ask_status(socket, false); }), said([&] { return ask_channels(socket, true); }),
        said([&] { return ask_pair(socket, {}, false); })}) {
    EXPECT_EQ(shown.code, runtime::kNotRunning);
    EXPECT_EQ(shown.out, "");
    EXPECT_THAT(shown.err, HasSubstr("Start it with: hearthcast-away run"));
  }
}

TEST_F(AwayCommands, AProgramThatBreaksOffIsAFailure) {
  const auto cut = status_of("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_EQ(cut.code, runtime::kFailed);
  EXPECT_THAT(cut.err, testing::Not(HasSubstr("Start it with")));
}

TEST_F(AwayCommands, ARefusalIsToldInItsWords) {
  const auto refused = status_of(http("409 Conflict", R"({"text":"no box waits"})"));
  EXPECT_EQ(refused.code, runtime::kRefused);
  EXPECT_EQ(refused.err, "hearthcast-away: no box waits\n");
  ::unlink(socket.c_str());
  EXPECT_EQ(status_of(http("500 Oh", R"({"text":"a full disk"})")).code, runtime::kFailed);
  ::unlink(socket.c_str());
  const auto garbage = status_of(http("200 OK", "not JSON"));
  EXPECT_NE(garbage.code, runtime::kFine);
  EXPECT_THAT(garbage.err, HasSubstr("not JSON"));
}

}  // namespace
}  // namespace hearthcast::away
