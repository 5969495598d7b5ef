// A box and an away client in one process, with real sockets, real DTLS and their own data threads: a
// provider's multicast goes in, a player's HTTP response comes out.
#include <gtest/gtest.h>
#include <net/if.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "appliance/app/sessions.hpp"
#include "appliance/forward/data_plane.hpp"
#include "tests/unit/http/loopback.hpp"
#include "tests/unit/linux/private_network.hpp"
#include "tests/unit/playout/ts_maker.hpp"
#include "tunnelmgr/away/client.hpp"
#include "tunnelmgr/away/web.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"

namespace hearthcast {
namespace {

using namespace std::chrono_literals;

const IpAddress kLoopback = *IpAddress::parse("127.0.0.1");
const FlowKey kChannel{std::nullopt, *IpAddress::parse("239.77.1.2"), 5004};
constexpr auto kPatience = 30s;  // only broken code needs it

linux::MulticastOptions on_loopback(const FlowKey& flow) {
  linux::MulticastOptions options;
  options.flow = flow;
  options.interface_index = ::if_nametoindex("lo");
  return options;
}

linux::UdpOptions at_port(std::uint16_t port) {
  linux::UdpOptions options;
  options.port = port;
  return options;
}

// The box: sessions and data plane as the program wires them, the store and the API left out.
class Box {
 public:
  explicit Box(boost::asio::io_context& io, const secure::OpenSslIdentity& identity, std::uint16_t port = 0)
      : identity_(identity),
        dtls_(secure::DtlsContext::make(identity_).value()),
        socket_(linux::UdpSocket::open(at_port(port)).value()),
        plane_(socket_, log_),
        sessions_(context_, identity_, ports()),
        timer_(io,
               [this](Time now) {
                 sessions_.on_deadline(now);
                 arm();
               }),
        watch_(io, plane_.wake_fd(), [this] { consume(); }) {
    plane_.start();
    consume();
  }
  void allow(const Identity& device) {
    const auto channel = catalogue_.apply({.flow = kChannel, .rtp = false, .name = "One", .attributes = {}});
    const auto id = *devices_.paired(device.id(), device.public_key(), "Laptop");
    (void)devices_.set_state(id, access::DeviceState::kApproved);
    (void)devices_.set_grants(id, {.all = true, .channels = {}});
    device_ = id;
    publish();
  }
  void revoke() {
    (void)devices_.set_state(device_, access::DeviceState::kRevoked);
    publish();
  }
  [[nodiscard]] std::uint16_t port() const { return socket_.port(); }
  [[nodiscard]] std::size_t flows() const { return sessions_.flows().size(); }
  void on_upstream_change() {
    sessions_.on_upstream_change(Clock::now());
    arm();
  }

  std::vector<std::size_t> enlarged;  // octets that a flow's socket was to have

 private:
  app::SessionPorts ports() {
    app::SessionPorts ports;
    ports.send = [this](const Endpoint& to, Bytes datagram) { (void)socket_.send(to, datagram); };
    ports.post = [this](forward::Down message) { EXPECT_TRUE(plane_.post(std::move(message))); };
    ports.join = [](const FlowKey& flow) -> Result<std::unique_ptr<linux::MulticastSocket>, Failure> {
      auto socket = linux::MulticastSocket::join(on_loopback(flow));
      if (!socket) {
        return socket.error();
      }
      return std::make_unique<linux::MulticastSocket>(std::move(*socket));
    };
    ports.enlarge = [this](int fd, std::size_t octets) {
      const int wished = static_cast<int>(octets);
      EXPECT_EQ(::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wished, sizeof wished), 0);
      enlarged.push_back(octets);
    };
    ports.remember = [](DeviceId, const Endpoint&) {};
    ports.mapped = [](const std::optional<Endpoint>&) {};
    ports.changed = [] {};
    return ports;
  }
  void publish() {
    sessions_.on_access(
        std::make_shared<const access::Access>(std::make_shared<const channels::Catalogue>(catalogue_),
                                               std::make_shared<const access::DeviceList>(devices_)),
        Clock::now());
    arm();
  }
  void consume() {
    plane_.consume([this](forward::Up message) { sessions_.on_up(std::move(message), Clock::now()); });
    arm();
  }
  void arm() { timer_.arm(sessions_.next_deadline()); }

  http::QuietLog log_;
  secure::OpenSslIdentity identity_;
  secure::DtlsContext dtls_;
  secure::OpenSslCrypto crypto_;
  secure::OpenSslRandom random_;
  app::PeerContext context_{dtls_, crypto_, random_, log_, {"hearthcast test", "Home"}};
  linux::UdpSocket socket_;
  forward::DataPlane plane_;
  app::Sessions sessions_;
  channels::Catalogue catalogue_;
  access::DeviceList devices_;
  DeviceId device_;
  runtime::MachineTimer timer_;
  runtime::ReadableWatch watch_;
};

// The provider: numbered transport stream packets, seven a datagram.
class Provider {
 public:
  Provider() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&from), sizeof from), 0);
    ip_mreqn interface {};
    interface.imr_ifindex = static_cast<int>(::if_nametoindex("lo"));
    EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface), 0);
    const int hops = 16;
    EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops), 0);
  }
  void send() {
    Buffer datagram;
    for (int n = 0; n < 7; ++n) {
      auto packet = ts_.more();
      Buffer number;
      Writer(number).u32(next_++);
      std::copy(number.begin(), number.end(), packet.begin() + 10);
      datagram.insert(datagram.end(), packet.begin(), packet.end());
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(kChannel.port);
    std::copy_n(kChannel.group.bytes().begin(), 4, reinterpret_cast<std::uint8_t*>(&to.sin_addr));
    (void)::sendto(fd_.get(), datagram.data(), datagram.size(), 0, reinterpret_cast<sockaddr*>(&to),
                   sizeof to);
  }

 private:
  linux::Fd fd_;
  playout::TsMaker ts_;
  std::uint32_t next_ = 0;
};

struct Scene {
  Scene() {
    folder = std::filesystem::temp_directory_path() / ("hearthcast-loopback-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    away::StateFolder state(folder);
    EXPECT_TRUE(state.prepare());
    EXPECT_TRUE(state.save(
        away::BoxRecord{Buffer(home.public_key().begin(), home.public_key().end()), "Home", {}, {}}));
    box = std::make_unique<Box>(io, home);
    box->allow(laptop);
    away::Memory memory;
    memory.endpoints.push_back({kLoopback, box->port()});
    client =
        away::Client::start({io, log, state, laptop, linux::UdpSocket::open({}).value(), memory, "Laptop"})
            .value();
    web = std::make_unique<away::Web>(io, log, *client, Endpoint{kLoopback, 0});
    server = std::make_unique<http::Server>(
        io, log,
        [this](const http::Request& r, const http::Responder& responder) { web->handle(r, responder); });
    port = server->listen_tcp({kLoopback, 0}).value().port;
  }
  ~Scene() {
    client->stop();
    server->stop();
    box.reset();
    io.restart();
    while (io.poll() > 0) {  // what was cancelled ends
    }
    std::filesystem::remove_all(folder);
  }
  bool until(const std::function<bool()>& condition, bool provide = false) {
    const Time end = Clock::now() + kPatience;
    while (!condition()) {
      if (Clock::now() >= end) {
        return false;
      }
      if (provide) {
        provider.send();
      }
      io.restart();
      io.run_for(2ms);
    }
    return true;
  }
  bool connected() {
    return until([this] {
      return client->link()->phase == away::LinkPhase::kConnected && !client->channels().empty();
    });
  }
  std::string path() { return "/channel/" + std::to_string(client->channels().at(0).id.value); }

  boost::asio::io_context io;
  http::QuietLog log;
  secure::OpenSslIdentity home = secure::make_identity();
  secure::OpenSslIdentity laptop = secure::make_identity();
  std::filesystem::path folder;
  std::unique_ptr<Box> box;
  std::unique_ptr<away::Client> client;
  std::unique_ptr<away::Web> web;
  std::unique_ptr<http::Server> server;
  std::uint16_t port = 0;
  Provider provider;
};

// What a player has read so far.
class Player {
 public:
  Player(Scene& scene, const std::string& path) : scene_(scene), client_(scene.port) {
    EXPECT_TRUE(client_.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  }
  bool reads(std::size_t octets) {
    return scene_.until([&] { return take() >= octets; }, true);
  }
  std::size_t take() {
    text_ = client_.read();
    return text_.size();
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  void end() { client_.end(); }
  // The numbers of the stream's packets follow one another; how many there are.
  std::size_t packets_in_order() {
    const auto head = text_.find("\r\n\r\n");
    std::size_t count = 0;
    std::optional<std::uint32_t> last;
    for (std::size_t at = head + 4; at + 188 <= text_.size(); at += 188) {
      const auto number = Reader(as_bytes(std::string_view(text_).substr(at + 10, 4))).u32();
      EXPECT_EQ(text_[at], 0x47);
      if (last) {
        EXPECT_EQ(number, *last + 1);
      }
      last = number;
      ++count;
    }
    return count;
  }

 private:
  Scene& scene_;
  http::RawClient client_;
  std::string text_;
};

void in_network(const std::function<void()>& body) {
  if (!linux::in_private_network(65536, body)) {
    GTEST_SKIP() << "needs root: a network namespace of its own";
  }
}

TEST(BoxAndAway, StreamFromMulticastToTwoPlayersAndBackToSilence) {
  in_network([] {
    Scene scene;
    ASSERT_TRUE(scene.connected());
    EXPECT_EQ(scene.box->flows(), 0U) << "nobody watches: nothing is joined";
    Player one(scene, scene.path());
    ASSERT_TRUE(one.reads(200'000));
    EXPECT_EQ(one.text().substr(0, 15), "HTTP/1.1 200 OK");
    EXPECT_NE(one.text().find("video/mp2t"), std::string::npos);
    Player two(scene, scene.path());
    ASSERT_TRUE(two.reads(200'000));
    EXPECT_EQ(scene.box->flows(), 1U);
    (void)one.take();
    EXPECT_GT(one.packets_in_order(), 1000U);
    EXPECT_GT(two.packets_in_order(), 1000U);
    one.end();
    two.end();
    EXPECT_TRUE(scene.until([&] { return scene.box->flows() == 0; }, true)) << "the last player's end leaves";
  });
}

TEST(BoxAndAway, AFlowsSocketIsEnlargedWhenItsDataComeAndNotBefore) {
  in_network([] {
    Scene scene;
    ASSERT_TRUE(scene.connected());
    Player player(scene, scene.path());
    ASSERT_TRUE(scene.until([&] { return scene.box->flows() == 1; }));
    EXPECT_TRUE(scene.box->enlarged.empty()) << "a silent flow costs no trip to the helper";
    ASSERT_TRUE(player.reads(50'000));
    ASSERT_TRUE(scene.until([&] { return !scene.box->enlarged.empty(); }, true));
    EXPECT_EQ(scene.box->enlarged, std::vector{linux::MulticastOptions{}.receive_buffer});
    scene.box->on_upstream_change();
    EXPECT_EQ(scene.box->enlarged.size(), 2U) << "its data come already";
    ASSERT_TRUE(player.reads(player.text().size() + 50'000));
  });
}

TEST(BoxAndAway, TheResponseGoesOnAfterTheBoxHasRestarted) {
  in_network([] {
    Scene scene;
    ASSERT_TRUE(scene.connected());
    Player player(scene, scene.path());
    ASSERT_TRUE(player.reads(100'000));
    const auto port = scene.box->port();
    scene.box.reset();
    scene.box = std::make_unique<Box>(scene.io, scene.home, port);
    scene.box->allow(scene.laptop);
    (void)player.take();
    ASSERT_TRUE(player.reads(player.text().size() + 100'000));
  });
}

TEST(BoxAndAway, ARevokedDeviceIsCutAndToldWhy) {
  in_network([] {
    Scene scene;
    ASSERT_TRUE(scene.connected());
    const auto path = scene.path();
    Player player(scene, path);
    ASSERT_TRUE(player.reads(50'000));
    scene.box->revoke();
    EXPECT_TRUE(scene.until([&] { return !scene.client->reachability().approved; }));
    Player refused(scene, path);
    ASSERT_TRUE(refused.reads(20));
    EXPECT_EQ(refused.text().substr(0, 12), "HTTP/1.1 403");
  });
}

TEST(BoxAndAway, PlaylistStatusAndRefusals) {
  in_network([] {
    Scene scene;
    ASSERT_TRUE(scene.connected());
    Player playlist(scene, "/playlist.m3u");
    ASSERT_TRUE(scene.until([&] {
      (void)playlist.take();
      return playlist.text().find(scene.path()) != std::string::npos;
    }));
    EXPECT_NE(playlist.text().find("http://localhost" + scene.path()), std::string::npos);
    Player status(scene, "/status");
    ASSERT_TRUE(scene.until([&] {
      (void)status.take();
      return status.text().find(R"("state":"connected")") != std::string::npos;
    }));
    Player unknown(scene, "/channel/4711");
    ASSERT_TRUE(unknown.reads(20));
    EXPECT_EQ(unknown.text().substr(0, 12), "HTTP/1.1 404");
  });
}

}  // namespace
}  // namespace hearthcast
