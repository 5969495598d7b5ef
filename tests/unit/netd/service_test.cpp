#include "tunnelmgr/netd/service.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/linux/netd_client.hpp"
#include "tunnelmgr/linux/socket_option.hpp"
#include "tunnelmgr/linux/unix_message.hpp"

namespace hearthcast::netd {
namespace {

using linux::NetdOperation;
using linux::NetdReply;
using linux::NetdRequest;

linux::Fd udp() { return linux::Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }

TEST(NetdProtocol, GoldenOctets) {
  EXPECT_EQ(to_hex(encode(NetdRequest{NetdOperation::kForceReceiveBuffer, 0x400000})), "0101000000400000");
  EXPECT_EQ(to_hex(encode(NetdReply{NetdOperation::kForceReceiveBuffer, 1, 2})),
            "01010000000000010000000000000002");
}

TEST(NetdProtocol, RoundTripAndNothingElse) {
  const NetdRequest request{NetdOperation::kForceReceiveBuffer, 77};
  const NetdReply reply{NetdOperation::kForceReceiveBuffer, EPERM, 1ULL << 40};
  EXPECT_EQ(*linux::decode_netd_request(encode(request)), request);
  EXPECT_EQ(*linux::decode_netd_reply(encode(reply)), reply);
  const Buffer whole = encode(reply);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(linux::decode_netd_reply(Bytes(whole).first(size))) << size;
    if (size != encode(request).size()) {
      EXPECT_FALSE(linux::decode_netd_request(Bytes(whole).first(size))) << size;
    }
  }
  for (const char* wrong :
       {"0201000000000001", "0102000000000001", "0101000100000001", "010100000000000100"}) {
    EXPECT_FALSE(linux::decode_netd_request(from_hex(wrong).value())) << wrong;
  }
}

TEST(NetdService, TouchesUdpSocketsOnlyAndInBounds) {
  const linux::Fd socket = udp();
  const auto error_of = [](std::uint32_t octets, int descriptor) {
    return perform({NetdOperation::kForceReceiveBuffer, octets}, descriptor).error;
  };
  EXPECT_EQ(error_of(4096, -1), static_cast<std::uint32_t>(ENOTSOCK));
  EXPECT_EQ(error_of(4096, STDERR_FILENO), static_cast<std::uint32_t>(ENOTSOCK));
  const linux::Fd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(error_of(4096, tcp.get()), static_cast<std::uint32_t>(ENOTSOCK));
  EXPECT_EQ(error_of(0, socket.get()), static_cast<std::uint32_t>(EINVAL));
  EXPECT_EQ(error_of(kLargestBuffer + 1, socket.get()), static_cast<std::uint32_t>(EINVAL));
}

TEST(NetdService, ForcesALargeBufferForItsClient) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, as the helper does";
  }
  auto [own, theirs] = linux::make_message_pair();
  std::thread helper([socket = theirs.get()] { EXPECT_TRUE(serve(socket)); });
  {
    const linux::Fd socket = udp();
    const auto message = encode(NetdRequest{NetdOperation::kForceReceiveBuffer, 32U << 20});
    ASSERT_TRUE(linux::send_message(own.get(), message, socket.get()));
    std::array<std::uint8_t, 64> room{};
    const auto answer = linux::receive_message(own.get(), room);
    const auto reply = linux::decode_netd_reply(Bytes(room).first(answer.size));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->error, 0U);
    EXPECT_EQ(reply->value, 64U << 20);
    EXPECT_EQ(linux::get_option(socket.get(), SOL_SOCKET, SO_RCVBUF), 64 << 20);
    linux::NetdClient client(std::move(own));
    EXPECT_TRUE(client.raise_receive_buffer(socket.get(), 16U << 20));
  }
  helper.join();  // ends when the client is gone
}

TEST(NetdService, EndsAtAMessageThatIsNone) {
  auto [own, theirs] = linux::make_message_pair();
  ASSERT_TRUE(linux::send_message(own.get(), as_bytes("hello?")));
  EXPECT_FALSE(serve(theirs.get()));
  ASSERT_TRUE(linux::send_message(own.get(), Buffer(100)));  // larger than any request
  EXPECT_TRUE(serve(theirs.get()));
}

TEST(NetdClient, WithoutHelperUsesWhatTheMachineAllows) {
  linux::NetdClient client;
  EXPECT_FALSE(client.has_helper());
  const linux::Fd socket = udp();
  EXPECT_TRUE(client.raise_receive_buffer(socket.get(), 8192));
}

TEST(NetdClient, HelperThatDiedIsNotAskedAgain) {
  auto [own, theirs] = linux::make_message_pair();
  theirs.close();
  linux::NetdClient client(std::move(own));
  const auto raised = client.raise_receive_buffer(-1, 8192);
  ASSERT_FALSE(raised);
  EXPECT_NE(raised.error().text.find("net.core.rmem_max"), std::string::npos);
  EXPECT_FALSE(client.has_helper());
}

TEST(UnixMessage, TellsThePeersUserAndCarriesADescriptor) {
  auto [own, theirs] = linux::make_message_pair();
  EXPECT_EQ(linux::peer_user(own.get()), ::getuid());
  EXPECT_EQ(linux::peer_user(STDIN_FILENO), std::nullopt);
  const linux::Fd socket = udp();
  EXPECT_EQ(linux::peer_user(socket.get()), std::nullopt);
  ASSERT_TRUE(linux::send_message(own.get(), as_bytes("x"), socket.get()));
  std::array<std::uint8_t, 8> room{};
  const auto got = linux::receive_message(theirs.get(), room);
  EXPECT_EQ(got.size, 1U);
  EXPECT_TRUE(got.descriptor);
  EXPECT_NE(got.descriptor.get(), socket.get());
}

}  // namespace
}  // namespace hearthcast::netd
