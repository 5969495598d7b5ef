#include "tunnelmgr/datapath/relay_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/linux/tcp_server.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/secure/handles.hpp"
#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::datapath {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const Buffer kStun = *from_hex("000100002112a442000102030405060708090a0b");

class RelayStreamTest : public testing::Test {
 protected:
  void connect(std::optional<secure::TlsStream> tls = std::nullopt) {
    auto socket = linux::TcpStream::connect(server_.endpoint());
    ASSERT_TRUE(socket) << socket.error().text;
    stream_.emplace(std::move(*socket), std::move(tls));
    ASSERT_TRUE(epoll_.add(stream_->fd(), 7, true, true));
  }
  // Until `done`, or for ten seconds.
  template <class Done>
  bool run_until(Done done) {
    const Time end = Clock::now() + 10s;
    while (!done() && Clock::now() < end) {
      epoll_.change(stream_->fd(), 7, true, stream_->wants_write());
      for (const auto& event : epoll_.wait(Clock::now() + 100ms)) {
        stream_->on_event(event,
                          [this](Bytes message) { came_.emplace_back(message.begin(), message.end()); });
      }
    }
    return done();
  }
  bool opens() {
    return run_until([this] { return stream_->state() == RelayStream::State::kOpen; });
  }
  bool ends() {
    return run_until([this] { return stream_->state() == RelayStream::State::kEnded; });
  }

  linux::TcpServer server_;
  linux::Epoll epoll_;
  std::optional<RelayStream> stream_;
  std::vector<Buffer> came_;
};

TEST_F(RelayStreamTest, MessagesGoPaddedAndComeWhole) {
  connect();
  EXPECT_FALSE(stream_->queue(kStun)) << "it is not open";
  server_.accept();
  ASSERT_TRUE(opens());
  const Buffer data = wire::encode_channel_data(0x4001, as_bytes("abcde"));
  EXPECT_TRUE(stream_->queue(kStun));
  EXPECT_TRUE(stream_->queue(data));
  EXPECT_TRUE(stream_->queue(data));
  stream_->flush();
  const std::string padded = std::string(as_text(data)) + std::string(3, '\0');
  EXPECT_EQ(server_.read(20 + 2 * 12), std::string(as_text(kStun)) + padded + padded);
  server_.write(padded.substr(0, 5));
  server_.write(padded.substr(5) + std::string(as_text(kStun)));
  ASSERT_TRUE(run_until([this] { return came_.size() == 2; }));
  EXPECT_THAT(came_, ElementsAre(data, kStun));
}

TEST_F(RelayStreamTest, WhereNobodyListensItEndsInWords) {
  Endpoint nobody;
  {
    const linux::TcpServer other;
    nobody = other.endpoint();
  }
  auto socket = linux::TcpStream::connect(nobody);
  ASSERT_TRUE(socket);
  stream_.emplace(std::move(*socket), std::nullopt);
  ASSERT_TRUE(epoll_.add(stream_->fd(), 7, true, true));
  ASSERT_TRUE(ends());
  EXPECT_THAT(stream_->reason(), HasSubstr("refused"));
  EXPECT_FALSE(stream_->wants_write());
  EXPECT_FALSE(stream_->queue(kStun));
}

TEST_F(RelayStreamTest, ARelayThatGoesEndsIt) {
  connect();
  server_.accept();
  ASSERT_TRUE(opens());
  server_.hang_up();
  ASSERT_TRUE(ends());
  EXPECT_THAT(stream_->reason(), HasSubstr("closed"));
}

TEST_F(RelayStreamTest, WhatIsNoTurnEndsIt) {
  connect();
  server_.accept();
  ASSERT_TRUE(opens());
  server_.write(std::string(as_text(kStun)) + "SSH-2.0-OpenSSH_9.2\r\n");
  ASSERT_TRUE(ends());
  EXPECT_THAT(came_, ElementsAre(kStun)) << "what came before was good";
  EXPECT_THAT(stream_->reason(), HasSubstr("no TURN relay"));
}

TEST_F(RelayStreamTest, AFullQueueLosesWholeMessages) {
  connect();
  server_.accept();
  ASSERT_TRUE(opens());
  const Buffer message = wire::encode_channel_data(0x4001, Buffer(1396, 'x'));
  std::size_t taken = 0;
  std::size_t lost = 0;
  while (lost < 10 && taken < 100'000) {
    stream_->queue(message) ? ++taken : ++lost;
    stream_->flush();
  }
  ASSERT_EQ(lost, 10U);
  EXPECT_TRUE(stream_->wants_write());
  std::string read;
  std::thread reader([&] { read = server_.read(taken * message.size()); });
  EXPECT_TRUE(run_until([this] { return !stream_->wants_write(); }));
  reader.join();
  ASSERT_EQ(read.size(), taken * message.size());
  for (std::size_t n = 0; n < taken; ++n) {
    ASSERT_EQ(read.compare(n * message.size(), message.size(), as_text(message)), 0) << n;
  }
  EXPECT_TRUE(stream_->queue(message)) << "there is room again";
}

class TlsRelayStreamTest : public RelayStreamTest {
 protected:
  // A server that answers each message of 20 octets with itself, then with channel data, and says goodbye.
  void serve() {
    server_.accept();
    const secure::SslHandle ssl(SSL_new(context_->native()));
    SSL_set_fd(ssl.get(), server_.client());
    if (SSL_accept(ssl.get()) != 1) {
      ERR_clear_error();
      return;
    }
    Buffer room(20);
    for (int n = 0; n < 50; ++n) {
      std::size_t have = 0;
      while (have < room.size()) {
        const int size = SSL_read(ssl.get(), room.data() + have, static_cast<int>(room.size() - have));
        if (size <= 0) {
          ADD_FAILURE() << "the client has ended";
          return;
        }
        have += static_cast<std::size_t>(size);
      }
      SSL_write(ssl.get(), room.data(), 20);
      SSL_write(ssl.get(), data_.data(), static_cast<int>(data_.size()));
    }
    SSL_shutdown(ssl.get());
  }

  secure::OpenSslIdentity identity_ = secure::make_identity();
  secure::TlsContext::Shared context_ = *secure::TlsContext::server(identity_);
  Buffer data_ =
      wire::encode_channel_data(0x4001, Buffer(16'300, 'y'));  // more than a record with its header
};

TEST_F(TlsRelayStreamTest, CarriesMessagesInTls) {
  std::thread server([this] { serve(); });
  connect(secure::TlsStream(*secure::TlsContext::pinned_client(identity_.id().digest), "relay.example"));
  ASSERT_TRUE(opens()) << stream_->reason();
  for (int n = 0; n < 50; ++n) {
    EXPECT_TRUE(stream_->queue(kStun));
    stream_->flush();
  }
  EXPECT_TRUE(ends());
  server.join();
  ASSERT_EQ(came_.size(), 100U);
  for (std::size_t n = 0; n < 100; n += 2) {
    EXPECT_EQ(came_[n], kStun);
    EXPECT_EQ(came_[n + 1], data_);
  }
  EXPECT_THAT(stream_->reason(), HasSubstr("closed"));
}

TEST_F(TlsRelayStreamTest, AnotherKeyIsRefused) {
  std::thread server([this] { serve(); });
  connect(secure::TlsStream(*secure::TlsContext::pinned_client(secure::make_identity().id().digest),
                            "relay.example"));
  EXPECT_TRUE(ends());
  EXPECT_THAT(stream_->reason(), HasSubstr("certificate"));
  stream_.reset();
  server.join();
}

}  // namespace
}  // namespace hearthcast::datapath
