#include "tunnelmgr/netd/service.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/linux/netd_client.hpp"
#include "tunnelmgr/linux/netd_operations.hpp"
#include "tunnelmgr/linux/socket_option.hpp"
#include "tunnelmgr/linux/unix_message.hpp"

namespace hearthcast::netd {
namespace {

using linux::MachineSetting;
using linux::NetdOperation;
using linux::NetdReply;
using linux::NetdRequest;

linux::Fd udp() { return linux::Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }

NetdRequest buffer_request(std::uint32_t octets) {
  return {.operation = NetdOperation::kForceReceiveBuffer, .argument = octets};
}

// One of each operation.
const std::vector<NetdRequest> kAllRequests = {
    buffer_request(77),
    {.operation = NetdOperation::kOpenLinkSocket, .interface_index = 3},
    {.operation = NetdOperation::kOpenMulticastRouting, .family = Family::kIp4, .argument = 4755},
    {.operation = NetdOperation::kAddMulticastRule,
     .family = Family::kIp6,
     .interface_index = 70'000,
     .argument = 4756},
    {.operation = NetdOperation::kRemoveMulticastRule,
     .family = Family::kIp4,
     .interface_index = 9,
     .argument = 4755},
    {.operation = NetdOperation::kReadSetting, .setting = MachineSetting::kMldMaxSources},
    {.operation = NetdOperation::kWriteSetting,
     .setting = MachineSetting::kReversePathFilter,
     .interface_index = 2,
     .argument = 2},
    {.operation = NetdOperation::kOpenTun, .argument = 1280},
    {.operation = NetdOperation::kAddTunAddress,
     .family = Family::kIp6,
     .address = IpAddress::parse("fd01:2:3:4::2"),
     .length = 64},
    {.operation = NetdOperation::kRemoveTunAddress,
     .family = Family::kIp4,
     .address = IpAddress::parse("10.203.0.5"),
     .length = 32},
    {.operation = NetdOperation::kAddTunRoute,
     .family = Family::kIp4,
     .address = IpAddress::parse("232.0.0.0"),
     .length = 8},
    {.operation = NetdOperation::kRemoveTunRoute,
     .family = Family::kIp6,
     .address = IpAddress::parse("ff1e::"),
     .length = 16},
    {.operation = NetdOperation::kOpenRawIp, .family = Family::kIp6, .argument = 47},
};

TEST(NetdProtocol, GoldenOctets) {
  EXPECT_EQ(to_hex(encode(buffer_request(0x400000))), "020100000000000000400000");
  EXPECT_EQ(to_hex(encode(kAllRequests[3])), "020406000001117000001294");
  EXPECT_EQ(to_hex(encode(kAllRequests[6])), "020700040000000200000002");
  EXPECT_EQ(to_hex(encode(kAllRequests[8])),
            "021106000000000000000000"
            "40fd010002000300040000000000000002");
  EXPECT_EQ(to_hex(encode(kAllRequests[9])),
            "021204000000000000000000"
            "200acb0005000000000000000000000000");
  EXPECT_EQ(to_hex(encode(kAllRequests[12])), "02080600000000000000002f");
  EXPECT_EQ(to_hex(encode(NetdReply{NetdOperation::kForceReceiveBuffer, 1, 2})),
            "02010000000000010000000000000002");
}

TEST(NetdProtocol, RoundTripAndNothingElse) {
  for (const NetdRequest& request : kAllRequests) {
    const Buffer whole = encode(request);
    EXPECT_EQ(*linux::decode_netd_request(whole), request);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(linux::decode_netd_request(Bytes(whole).first(size))) << size;
    }
    Buffer longer = whole;
    longer.push_back(0);
    EXPECT_FALSE(linux::decode_netd_request(longer));
    const NetdReply reply{request.operation, EPERM, 1ULL << 40};
    EXPECT_EQ(*linux::decode_netd_reply(encode(reply)), reply);
  }
  const Buffer whole = encode(NetdReply{NetdOperation::kOpenLinkSocket, EPERM, 0});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(linux::decode_netd_reply(Bytes(whole).first(size))) << size;
  }
}

// What an operation does not use has to be zero, what it needs has to be there.
TEST(NetdProtocol, RefusesEverythingThatIsNotExactlyARequest) {
  for (const char* wrong : {
           "010100000000000000400000",  // another version
           "020000000000000000400000",  // no operation
           "020800000000000000000029",  // a raw socket needs a family
           "020104000000000000400000",  // a buffer has no family
           "020100010000000000400000",  // nor a setting
           "020100000000000100400000",  // nor an interface
           "020200000000000300000001",  // a link socket has no argument
           "020300000000000000001293",  // routing needs a family
           "020305000000000000001293",  // which is 4 or 6
           "020304000000000100001293",  // and has no interface
           "020404010000000100001293",  // a rule has no setting
           "020600000000000000000000",  // reading needs a setting
           "020600050000000000000000",  // of those that there are
           "020600010000000000000001",  // and has no value
           "020706010000000000000001",  // settings have no family
           "021004000000000000000500",  // making a TUN has none
           "021100000000000000000000"
           "40fd010002000300040000000000000002",  // an address has one
           "021105000000000000000000"
           "40fd010002000300040000000000000002",  // which is 4 or 6
           "021106000000000100000000"
           "40fd010002000300040000000000000002",  // its interface is the descriptor's
           "021106000000000000000001"
           "40fd010002000300040000000000000002",  // and it has no argument
           "021204000000000000000000"
           "200acb0005000000000000000000000001",  // IPv4 is shorter
           "021106000000000000000000",            // where is the address?
       }) {
    EXPECT_FALSE(linux::decode_netd_request(from_hex(wrong).value())) << wrong;
  }
  EXPECT_FALSE(linux::decode_netd_reply(from_hex("02010001000000010000000000000002").value()));
  EXPECT_FALSE(linux::decode_netd_reply(from_hex("02090000000000010000000000000002").value()));
}

std::uint32_t error_of(const NetdRequest& request, int descriptor = -1) {
  return linux::NetdOperations().perform(request, descriptor).reply.error;
}

constexpr auto kWrong = static_cast<std::uint32_t>(EINVAL);

TEST(NetdOperations, TouchUdpSocketsOnlyAndInBounds) {
  const linux::Fd socket = udp();
  EXPECT_EQ(error_of(buffer_request(4096)), static_cast<std::uint32_t>(ENOTSOCK));
  EXPECT_EQ(error_of(buffer_request(4096), STDERR_FILENO), static_cast<std::uint32_t>(ENOTSOCK));
  const linux::Fd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(error_of(buffer_request(4096), tcp.get()), static_cast<std::uint32_t>(ENOTSOCK));
  EXPECT_EQ(error_of(buffer_request(0), socket.get()), kWrong);
  EXPECT_EQ(error_of(buffer_request(linux::kLargestReceiveBuffer + 1), socket.get()), kWrong);
}

TEST(NetdOperations, TrustNoArgument) {
  EXPECT_EQ(error_of({.operation = NetdOperation::kOpenLinkSocket}), kWrong) << "all interfaces at once";
  for (const NetdOperation operation :
       {NetdOperation::kOpenMulticastRouting, NetdOperation::kAddMulticastRule,
        NetdOperation::kRemoveMulticastRule}) {
    for (const std::uint32_t table : {0U, 253U, 254U, 255U, linux::kFirstMulticastTable - 1,
                                      linux::kFirstMulticastTable + linux::kMulticastTables, 0xFFFFFFFFU}) {
      const bool rule = operation != NetdOperation::kOpenMulticastRouting;
      EXPECT_EQ(error_of({.operation = operation,
                          .family = Family::kIp4,
                          .interface_index = rule ? 1U : 0U,
                          .argument = table}),
                kWrong)
          << table;
    }
  }
  EXPECT_EQ(error_of({.operation = NetdOperation::kOpenMulticastRouting, .argument = 4755}), kWrong);
  for (const auto& [family, protocol] : {std::pair(Family::kIp6, 41U),
                                         {Family::kIp4, 0U},
                                         {Family::kIp4, 1U},
                                         {Family::kIp4, 17U},
                                         {Family::kIp4, 255U},
                                         {Family::kIp6, 58U},
                                         {Family::kIp4, 47U + 256U}}) {
    EXPECT_EQ(error_of({.operation = NetdOperation::kOpenRawIp, .family = family, .argument = protocol}),
              static_cast<std::uint32_t>(EPROTONOSUPPORT))
        << protocol;
  }
  EXPECT_EQ(error_of({.operation = static_cast<NetdOperation>(99)}), kWrong);
  const auto write = [](MachineSetting setting, unsigned index, std::uint32_t value) {
    return error_of({.operation = NetdOperation::kWriteSetting,
                     .setting = setting,
                     .interface_index = index,
                     .argument = value});
  };
  EXPECT_EQ(write(MachineSetting::kReversePathFilter, 1, 3), kWrong);
  EXPECT_EQ(write(MachineSetting::kReversePathFilter, 0, 1), kWrong) << "all interfaces at once";
  EXPECT_EQ(write(MachineSetting::kReversePathFilter, 999'999, 1), static_cast<std::uint32_t>(ENODEV));
  EXPECT_EQ(write(MachineSetting::kIgmpMaxSources, 0, 0), kWrong);
  EXPECT_EQ(write(MachineSetting::kIgmpMaxSources, 0, 1'000'000), kWrong);
  EXPECT_EQ(write(MachineSetting::kIgmpMaxMemberships, 1, 100), kWrong) << "it is of no interface";
  EXPECT_EQ(write(static_cast<MachineSetting>(9), 0, 1), kWrong);
  EXPECT_EQ(error_of({.operation = NetdOperation::kRemoveMulticastRule,
                      .family = Family::kIp4,
                      .interface_index = 1,
                      .argument = 4755}),
            static_cast<std::uint32_t>(ENOENT))
      << "a rule that was never added";
}

TEST(NetdOperations, TouchOnlyTunInterfacesThatTheyMade) {
  constexpr auto kNoTun = static_cast<std::uint32_t>(EBADF);
  const linux::Fd socket = udp();
  for (const NetdOperation operation : {NetdOperation::kAddTunAddress, NetdOperation::kRemoveTunAddress,
                                        NetdOperation::kAddTunRoute, NetdOperation::kRemoveTunRoute}) {
    const NetdRequest request{.operation = operation,
                              .family = Family::kIp4,
                              .address = IpAddress::parse("10.0.0.1"),
                              .length = 32};
    EXPECT_EQ(error_of(request), kNoTun);
    EXPECT_EQ(error_of(request, socket.get()), kNoTun);
    EXPECT_EQ(error_of(request, STDERR_FILENO), kNoTun);
    NetdRequest other_family = request;
    other_family.family = Family::kIp6;
    EXPECT_EQ(error_of(other_family, socket.get()), kWrong);
  }
  for (const std::uint32_t mtu : {0U, 1279U, 65536U}) {
    EXPECT_EQ(error_of({.operation = NetdOperation::kOpenTun, .argument = mtu}), kWrong) << mtu;
  }
}

TEST(MachineSetting, AreReadByAnyone) {
  for (const MachineSetting setting :
       {MachineSetting::kIgmpMaxMemberships, MachineSetting::kIgmpMaxSources}) {
    const auto value = linux::read_setting(setting, 0);
    ASSERT_TRUE(value) << linux::name_of(setting);
    EXPECT_GE(*value, 1U);
    EXPECT_FALSE(linux::read_setting(setting, 1));
  }
  const auto filter = linux::read_setting(MachineSetting::kReversePathFilter, 1);  // of the loopback
  ASSERT_TRUE(filter);
  EXPECT_LE(*filter, 2U);
  EXPECT_LE(*linux::read_setting(MachineSetting::kReversePathFilter, 0), 2U);
  EXPECT_EQ(linux::read_setting(MachineSetting::kReversePathFilter, 999'999).error(),
            linux::KernelError{ENODEV});
}

TEST(NetdService, ForcesALargeBufferForItsClient) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, as the helper does";
  }
  auto [own, theirs] = linux::make_message_pair();
  std::thread helper([socket = theirs.get()] { EXPECT_TRUE(serve(socket)); });
  {
    const linux::Fd socket = udp();
    const auto message = encode(buffer_request(32U << 20));
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

// What the helper of an away client refuses, before anybody asks whether it could.
TEST(NetdService, OfTheDutyOfATunRefusesTheRest) {
  auto [own, theirs] = linux::make_message_pair();
  std::thread helper([socket = theirs.get()] { EXPECT_TRUE(serve(socket, {}, Duty::kTun)); });
  {
    const auto ask = [socket = own.get()](const NetdRequest& request) {
      EXPECT_TRUE(linux::send_message(socket, encode(request)));
      std::array<std::uint8_t, 64> room{};
      const auto answer = linux::receive_message(socket, room);
      const auto reply = linux::decode_netd_reply(Bytes(room).first(answer.size));
      EXPECT_TRUE(reply && reply->operation == request.operation);
      EXPECT_FALSE(answer.descriptor);
      return reply ? reply->error : 0;
    };
    constexpr auto kRefused = static_cast<std::uint32_t>(EPERM);
    for (const NetdRequest& request : kAllRequests) {
      const bool never = request.operation == NetdOperation::kOpenLinkSocket ||
                         request.operation == NetdOperation::kOpenMulticastRouting ||
                         request.operation == NetdOperation::kAddMulticastRule ||
                         request.operation == NetdOperation::kRemoveMulticastRule || request.setting;
      if (never) {
        EXPECT_EQ(ask(request), kRefused) << static_cast<int>(request.operation);
      } else if (request.address) {
        EXPECT_EQ(ask(request), static_cast<std::uint32_t>(EBADF)) << "no descriptor came with it";
      }
    }
    EXPECT_EQ(ask({.operation = NetdOperation::kReadSetting, .setting = MachineSetting::kReversePathFilter}),
              0U);
    EXPECT_EQ(ask({.operation = NetdOperation::kWriteSetting,
                   .setting = MachineSetting::kReversePathFilter,
                   .interface_index = 1}),
              kRefused)
        << "an interface of somebody else";
    const linux::NetdClient client(std::move(own));
  }
  helper.join();
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

TEST(NetdClient, SaysWhatToDoWhenRefused) {
  auto [own, theirs] = linux::make_message_pair();
  std::thread refusing([socket = theirs.get()] {
    std::array<std::uint8_t, 64> room{};
    for (;;) {
      const auto message = linux::receive_message(socket, room);
      const auto request = linux::decode_netd_request(Bytes(room).first(message.size));
      if (!request || !linux::send_message(socket, encode(NetdReply{request->operation, EPERM, 0}))) {
        return;
      }
    }
  });
  {
    linux::NetdClient client(std::move(own));
    const auto link = client.open_link_socket(1);
    ASSERT_FALSE(link);
    EXPECT_NE(link.error().text.find("hearthcast-netd"), std::string::npos) << link.error().text;
    EXPECT_FALSE(client.open_multicast_routing(Family::kIp4, 4755));
    EXPECT_FALSE(client.add_multicast_rule(Family::kIp6, 4755, 1));
    EXPECT_FALSE(client.read_setting(MachineSetting::kIgmpMaxSources));
    const auto written = client.write_setting(MachineSetting::kIgmpMaxSources, 20);
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().text.find("net.ipv4.igmp_max_msf to 20"), std::string::npos);
    EXPECT_TRUE(client.has_helper()) << "a refusal is an answer";
  }
  refusing.join();
}

// An answer to something else would be taken for the next one's for ever after.
TEST(NetdClient, HelperThatMixesUpItsAnswersIsGivenUp) {
  auto [own, theirs] = linux::make_message_pair();
  ASSERT_TRUE(linux::send_message(theirs.get(), encode(NetdReply{NetdOperation::kReadSetting, 0, 5})));
  linux::NetdClient client(std::move(own));
  static_cast<void>(client.open_link_socket(999'999));
  EXPECT_FALSE(client.has_helper());
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
