// Connecting to a name of several addresses, of which some do not answer.
#include "tunnelmgr/http/dial.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>

#include "tests/unit/http/loopback.hpp"

namespace hearthcast::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using testing::HasSubstr;

// Whoever connects to it hears nothing at all, as behind a black hole: its queue is full.
class Silent {
 public:
  explicit Silent(boost::asio::io_context& io) : acceptor_(io), first_(io), second_(io) {
    acceptor_.open(tcp::v4());
    acceptor_.bind(tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    acceptor_.listen(0);
    for (auto* socket : {&first_, &second_}) {
      socket->async_connect(at(), [](const boost::system::error_code&) {});
    }
    io.run_for(50ms);
  }
  [[nodiscard]] tcp::endpoint at() const { return acceptor_.local_endpoint(); }

 private:
  tcp::acceptor acceptor_;
  tcp::socket first_;
  tcp::socket second_;
};

class DialTest : public testing::Test {
 protected:
  // The error's text, or nothing.
  std::optional<std::string> open(std::vector<tcp::endpoint> addresses, std::chrono::milliseconds limit) {
    const auto dial = std::make_shared<Dial>(io, Target{*Url::parse("http://box.example/"), {}, nullptr});
    dial->limit(limit);
    bool done = false;
    std::optional<std::string> failed;
    boost::asio::co_spawn(io, dial->open_at(std::move(addresses)),
                          [&](const std::exception_ptr&, std::optional<std::string> result) {
                            done = true;
                            failed = std::move(result);
                          });
    EXPECT_TRUE(turn_until(io, [&] { return done; }));
    timed_out = dial->timed_out();
    return failed;
  }

  boost::asio::io_context io;
  Silent silent{io};
  tcp::acceptor answering{io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  bool timed_out = false;
};

TEST_F(DialTest, AnAddressThatDoesNotAnswerLeavesTimeForTheNext) {
  EXPECT_EQ(open({silent.at(), silent.at(), answering.local_endpoint()}, 200ms), std::nullopt);
  EXPECT_FALSE(timed_out);
}

TEST_F(DialTest, TheLastAddressHasAllTheTimeThatIsLeft) {
  const Time begun = Clock::now();
  EXPECT_THAT(open({silent.at(), silent.at()}, 100ms).value_or(""),
              HasSubstr("cannot connect to box.example"));
  EXPECT_TRUE(timed_out);
  EXPECT_GE(Clock::now() - begun, 100ms);
}

TEST_F(DialTest, AnAddressThatRefusesCostsNoTime) {
  const auto nobody = [&] {
    const tcp::acceptor closed(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    return closed.local_endpoint();
  }();
  EXPECT_EQ(open({nobody, answering.local_endpoint()}, 10s), std::nullopt);
  EXPECT_THAT(open({nobody}, 10s).value_or(""), HasSubstr("refused"));
  EXPECT_THAT(open({}, 10s).value_or(""), HasSubstr("no address"));
}

}  // namespace
}  // namespace hearthcast::http
