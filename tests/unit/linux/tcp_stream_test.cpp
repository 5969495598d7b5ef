#include "tunnelmgr/linux/tcp_stream.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/unit/linux/tcp_server.hpp"

namespace hearthcast::linux {
namespace {

bool ready(const TcpStream& stream, short what) {
  pollfd wait{stream.fd(), what, 0};
  return ::poll(&wait, 1, 10'000) == 1;
}

TEST(TcpStream, ConnectsAndCarriesBothWays) {
  TcpServer server;
  auto stream = TcpStream::connect(server.endpoint());
  ASSERT_TRUE(stream) << stream.error().text;
  server.accept();
  ASSERT_TRUE(ready(*stream, POLLOUT));
  EXPECT_EQ(stream->error(), 0);
  EXPECT_EQ(stream->write(as_bytes("to there")).size, 8U);
  EXPECT_EQ(server.read(8), "to there");
  Buffer room(4);
  EXPECT_EQ(stream->read(room).state, TcpStream::State::kWaits);
  server.write("back");
  ASSERT_TRUE(ready(*stream, POLLIN));
  EXPECT_EQ(stream->read(room).size, 4U);
  EXPECT_EQ(as_text(room), "back");
}

TEST(TcpStream, AnOrderlyEndHasNoError) {
  TcpServer server;
  auto stream = TcpStream::connect(server.endpoint());
  ASSERT_TRUE(stream);
  server.accept();
  server.hang_up();
  ASSERT_TRUE(ready(*stream, POLLIN));
  Buffer room(4);
  const auto moved = stream->read(room);
  EXPECT_EQ(moved.state, TcpStream::State::kEnded);
  EXPECT_EQ(moved.error, 0);
}

TEST(TcpStream, WhereNobodyListensIsAnError) {
  Endpoint nobody;
  {
    const TcpServer server;
    nobody = server.endpoint();
  }
  auto stream = TcpStream::connect(nobody);
  ASSERT_TRUE(stream) << "it shows later";
  ASSERT_TRUE(ready(*stream, POLLOUT));
  EXPECT_EQ(stream->error(), ECONNREFUSED);
  Buffer room(4);
  EXPECT_EQ(stream->read(room).state, TcpStream::State::kEnded);
  EXPECT_EQ(stream->write(room).state, TcpStream::State::kEnded);
}

TEST(TcpStream, AFullKernelMakesItWait) {
  TcpServer server;
  auto stream = TcpStream::connect(server.endpoint());
  ASSERT_TRUE(stream);
  server.accept();
  ASSERT_TRUE(ready(*stream, POLLOUT));
  const Buffer much(1 << 20);
  std::size_t written = 0;
  for (;;) {
    const auto moved = stream->write(much);
    written += moved.size;
    if (moved.state != TcpStream::State::kGoesOn) {
      EXPECT_EQ(moved.state, TcpStream::State::kWaits);
      break;
    }
    ASSERT_LT(written, std::size_t{1} << 30);
  }
  EXPECT_GT(written, 0U);
  EXPECT_EQ(server.read(written).size(), written) << "what it took arrives";
}

}  // namespace
}  // namespace hearthcast::linux
