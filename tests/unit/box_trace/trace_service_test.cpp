// The service on a loopback in a network of its own: real sockets, a client that asks, an answer.
#include "appliance/trace/trace_service.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <vector>

#include "tests/unit/linux/private_network.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/linux/socket_option.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"
#include "tunnelmgr/trace/client.hpp"

namespace hearthcast::trace {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kLoopback = 1;
IpAddress ip(const char* text) { return *IpAddress::parse(text); }

struct Notes : Log {
  void write(Level, std::string_view event, std::initializer_list<Field>) override {
    events.emplace_back(event);
  }
  std::vector<std::string> events;
};

proxy::Status loopback_is_downstream(Time) {
  proxy::InstanceStatus instance;
  proxy::InterfaceStatus lan{.name = "lo",
                             .index = proxy::InterfaceIndex{kLoopback},
                             .role = proxy::Role::kDownstream,
                             .state = proxy::InterfaceState::kUp};
  lan.queriers[0].self = true;
  instance.interfaces = {lan};
  return {{instance}, {}};
}

// A client at 127.0.0.1 is refused, as it should be; at another address of the loopback it is not.
std::vector<linux::Interface> interfaces() {
  linux::Interface lo;
  lo.index = kLoopback;
  lo.name = "lo";
  lo.addresses = {{ip("192.168.9.1"), 24}};
  return {lo};
}

void add_address(const char* address) {
  const linux::Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::string_view("lo:1").copy(request.ifr_name, sizeof request.ifr_name - 1);
  auto& name = reinterpret_cast<sockaddr_in&>(request.ifr_addr);
  name.sin_family = AF_INET;
  const auto octets = ip(address);
  std::copy(octets.bytes().begin(), octets.bytes().end(), reinterpret_cast<std::uint8_t*>(&name.sin_addr));
  ASSERT_EQ(::ioctl(control.get(), SIOCSIFADDR, &request), 0);
}

TEST(TraceService, AnswersAClientOnItsLink) {
  const bool permitted = linux::in_private_network(65536, [] {
    add_address("192.168.9.1");
    boost::asio::io_context loop;
    Notes log;
    TraceService service(loop, log, loopback_is_downstream);
    service.on_interfaces(interfaces(), {kLoopback});
    EXPECT_TRUE(log.events.empty()) << log.events.front();

    auto socket = linux::UdpSocket::open({.port = 0, .address = ip("192.168.9.1")}).value();
    const Query query{ip("239.1.1.1"), std::nullopt, ip("192.168.9.1"), {ip("192.168.9.1"), socket.port()}};
    Client client(query, {.timeout = 10s}, 7, Clock::now());
    const auto asked = client.on_deadline(Clock::now());
    ASSERT_TRUE(asked);
    ASSERT_EQ(socket.send(asked->to, asked->datagram).outcome, linux::SendOutcome::kSent);
    linux::ReceiveBatch batch;
    const Time limit = Clock::now() + 20s;
    while (!client.outcome() && Clock::now() < limit) {
      loop.run_for(20ms);
      for (const auto& datagram : socket.receive(batch).datagrams) {
        (void)client.on_datagram(datagram.payload, Clock::now());
      }
    }
    ASSERT_TRUE(client.outcome());
    ASSERT_EQ(client.outcome()->path.size(), 1U);
    EXPECT_EQ(client.outcome()->path[0].code, wire::Mtrace2Code::kNoRoute) << "there is no upstream at all";
    EXPECT_EQ(client.outcome()->path[0].outgoing, ip("192.168.9.1"));
    EXPECT_EQ(service.counters().replies, 1U);

    // A link that is served no more is answered on no more.
    service.on_interfaces(interfaces(), {});
    ASSERT_EQ(socket.send(asked->to, asked->datagram).outcome, linux::SendOutcome::kSent);
    loop.restart();
    loop.run_for(50ms);
    EXPECT_EQ(service.counters().replies, 1U);
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

TEST(TraceService, ALinkThatIsNotThereIsSaidOnce) {
  boost::asio::io_context loop;
  Notes log;
  TraceService service(loop, log, loopback_is_downstream);
  service.on_interfaces({}, {4'000'000});
  const auto said = log.events.size();
  EXPECT_EQ(said, 4U) << "both families, by unicast and for all routers";
  service.on_interfaces({}, {4'000'000});
  EXPECT_EQ(log.events.size(), said);
}

}  // namespace
}  // namespace hearthcast::trace
