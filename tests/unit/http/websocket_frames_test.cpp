// What a WebSocket of the server does with frames that no well-behaved client sends. Source: RFC 6455
// section 5.
#include <gmock/gmock.h>

#include "tests/unit/http/server_fixture.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/http/websocket.hpp"

namespace hearthcast::http {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

enum Opcode : std::uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

struct Frame {
  std::uint8_t opcode = kText;
  std::string payload;
  bool fin = true;
  bool masked = true;
  std::uint8_t reserved = 0;  // RSV1-3 as the first octet holds them: 0x40, 0x20, 0x10
};

std::string octets_of(const Frame& frame) {
  static constexpr char kMask[4] = {'\x11', '\x22', '\x33', '\x44'};
  const std::size_t size = frame.payload.size();
  Buffer out;
  Writer w(out);
  w.u8(static_cast<std::uint8_t>((frame.fin ? 0x80 : 0) | frame.reserved | frame.opcode));
  const std::uint8_t mask_bit = frame.masked ? 0x80 : 0;
  if (size < 126) {
    w.u8(static_cast<std::uint8_t>(mask_bit | size));
  } else if (size < 65536) {
    w.u8(mask_bit | 126);
    w.u16(static_cast<std::uint16_t>(size));
  } else {
    w.u8(mask_bit | 127);
    w.u64(size);
  }
  std::string text(out.begin(), out.end());
  if (!frame.masked) {
    return text + frame.payload;
  }
  text.append(kMask, 4);
  for (std::size_t i = 0; i < size; ++i) {
    text += static_cast<char>(frame.payload[i] ^ kMask[i % 4]);
  }
  return text;
}

constexpr std::string_view kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

class FramesTest : public ServerTest {
 protected:
  FramesTest() {
    start(echo);
    server->on_websocket("/ws", [this](const Request&, const std::shared_ptr<WebSocket>& socket) {
      socket->on_text([this](std::string text) { heard.push_back(std::move(text)); });
      socket->on_close([this](const std::string&) { ++closed; });
      ++opened;
    });
  }
  std::unique_ptr<RawClient> upgraded() {
    auto client = std::make_unique<RawClient>(port);
    EXPECT_TRUE(client->send(kUpgrade));
    const int before = opened;
    EXPECT_TRUE(turn_until(
        io, [&] { return opened > before && client->read().find("\r\n\r\n") != std::string::npos; }));
    return client;
  }
  // What the server has sent behind its head: frames of at most 125 octets, unmasked.
  static std::vector<Frame> frames(RawClient& client) {
    const std::string& all = client.read();
    std::vector<Frame> got;
    for (std::size_t at = all.find("\r\n\r\n") + 4; at + 2 <= all.size();) {
      const auto size = static_cast<std::uint8_t>(all[at + 1]);
      got.push_back({static_cast<std::uint8_t>(all[at] & 15), all.substr(at + 2, size), true, false, 0});
      at += 2U + size;
    }
    return got;
  }
  static int close_code(RawClient& client) {
    for (const Frame& frame : frames(client)) {
      if (frame.opcode == kClose && frame.payload.size() >= 2) {
        return Reader(as_bytes(frame.payload)).u16();
      }
    }
    return 0;
  }
  int opened = 0;
  int closed = 0;
  std::vector<std::string> heard;
};

TEST_F(FramesTest, TheKeyIsAnsweredAsTheRfcDoes) {
  auto client = upgraded();
  EXPECT_THAT(client->read(), HasSubstr("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));  // RFC 6455 section 1.3
  EXPECT_THAT(client->read(), StartsWith("HTTP/1.1 101"));
}

TEST_F(FramesTest, WhatTheRfcForbidsEndsTheConnectionWithItsCode) {
  const struct {
    const char* what;
    std::vector<Frame> frames;
    int code;
  } cases[] = {
      {"not masked", {{kText, "x", true, false}}, 1002},
      {"a reserved bit", {{kText, "x", true, true, 0x40}}, 1002},
      {"a reserved opcode", {{3, "x"}}, 1002},
      {"a reserved control opcode", {{11, ""}}, 1002},
      {"a ping in pieces", {{kPing, "x", false}}, 1002},
      {"a ping that is too long", {{kPing, std::string(126, 'x')}}, 1002},
      {"the end of nothing", {{kContinuation, "x"}}, 1002},
      {"a message inside a message", {{kText, "x", false}, {kText, "y"}}, 1002},
      {"text that is no UTF-8", {{kText, "\xc3\x28"}}, 1007},
      {"text that ends inside a character", {{kText, "\xe2\x82"}}, 1007},
      {"a surrogate", {{kText, "\xed\xa0\x80"}}, 1007},
      {"more than 64 KiB", {{kText, std::string(kMaxWebSocketMessage + 1, 'x')}}, 1009},
      {"more than 64 KiB in pieces",
       {{kText, std::string(kMaxWebSocketMessage, 'x'), false}, {kContinuation, "x"}},
       1009},
      {"a close of one octet", {{kClose, "x"}}, 1002},
      {"a close with a code for nobody", {{kClose, "\x03\xed"}}, 1002},
      {"a close whose reason is no UTF-8", {{kClose, "\x03\xe8\xff"}}, 1002},
  };
  int ended = 0;
  for (const auto& c : cases) {
    auto client = upgraded();
    for (const Frame& frame : c.frames) {
      ASSERT_TRUE(client->send(octets_of(frame))) << c.what;
    }
    EXPECT_TRUE(turn_until(io, [&] { return client->ended() && closed == ended + 1; })) << c.what;
    EXPECT_EQ(close_code(*client), c.code) << c.what;
    ended = closed;
  }
  EXPECT_THAT(heard, IsEmpty());
}

TEST_F(FramesTest, BinaryMessagesAreNotTaken) {
  auto client = upgraded();
  ASSERT_TRUE(client->send(octets_of({kBinary, "x"})));
  EXPECT_TRUE(turn_until(io, [&] { return client->ended() && closed == 1; }));
  EXPECT_THAT(heard, IsEmpty());
}

TEST_F(FramesTest, AMessageMayComeInPiecesWithAPingBetween) {
  auto client = upgraded();
  ASSERT_TRUE(client->send(octets_of({kText, "one ", false}) + octets_of({kPing, "are you there"}) +
                           octets_of({kContinuation, "two ", false}) + octets_of({kPong, "unasked"}) +
                           octets_of({kContinuation, "three"})));
  ASSERT_TRUE(turn_until(io, [&] { return !heard.empty() && !frames(*client).empty(); }));
  EXPECT_THAT(heard, ElementsAre("one two three"));
  EXPECT_EQ(frames(*client)[0].opcode, kPong);
  EXPECT_EQ(frames(*client)[0].payload, "are you there");
}

TEST_F(FramesTest, EmptyAndLargestMessagesCome) {
  auto client = upgraded();
  const std::string largest(kMaxWebSocketMessage, 'x');
  ASSERT_TRUE(client->send(octets_of({kText, ""})));
  ASSERT_TRUE(client->send(octets_of({kText, largest})));
  ASSERT_TRUE(turn_until(io, [&] { return heard.size() == 2; }));
  EXPECT_EQ(heard[0], "");
  EXPECT_EQ(heard[1], largest);
}

TEST_F(FramesTest, EveryPrefixOfAFrameThatBreaksOffIsNoMessage) {
  const std::string whole = octets_of({kText, "hello"});
  for (std::size_t n = 0; n < whole.size(); ++n) {
    auto client = upgraded();
    ASSERT_TRUE(client->send(std::string_view(whole).substr(0, n)));
    client->end();
    ASSERT_TRUE(turn_until(io, [&] { return closed == static_cast<int>(n) + 1; })) << n;
  }
  EXPECT_THAT(heard, IsEmpty());
}

TEST_F(FramesTest, ACloseIsEchoedWithItsCode) {
  auto client = upgraded();
  ASSERT_TRUE(client->send(octets_of({kClose, "\x03\xe9going away"})));
  EXPECT_TRUE(turn_until(io, [&] { return client->ended() && closed == 1; }));
  EXPECT_EQ(close_code(*client), 1001);
}

TEST_F(FramesTest, WhatIsNoHandshakeOpensNothing) {
  const struct {
    const char* request;
    int status;
  } cases[] = {
      {"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Sec-WebSocket-Version: 13\r\n\r\n",
       400},
      {"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
       426},
      {"GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
       404},
      {"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200},  // an ordinary request
      {"POST /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"
       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
       200},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(answer_to(c.request), StartsWith("HTTP/1.1 " + std::to_string(c.status))) << c.request;
  }
  EXPECT_EQ(opened, 0);
}

}  // namespace
}  // namespace hearthcast::http
