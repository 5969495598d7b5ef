// A TURN server in the simulated world: one FakeRelay (tests/unit/nat/fake_relay.hpp) for each client, each
// with a relayed port of its own; over UDP, and over streams that repeat for themselves.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>

#include "tests/sim/world.hpp"
#include "tests/unit/nat/fake_relay.hpp"

namespace hearthcast::sim {

inline constexpr std::string_view kRelayAddress = "192.0.2.10:3478";
inline constexpr std::string_view kRelayStreamAddress = "192.0.2.10:443";

class TurnServer final : public Actor {
 public:
  explicit TurnServer(World& world);
  ~TurnServer() override;

  // A stream from `client`. Both functions come later: opened() once, or never while no wire leads here; then
  // received() for each message. A stream that is closed calls nothing any more.
  std::uint64_t open_stream(const Actor& client, std::function<void()> opened,
                            std::function<void(Bytes)> received);
  void close_stream(std::uint64_t stream);
  void send_on_stream(std::uint64_t stream, Bytes message);

  // Whether `at` belongs to the relay: its server port or one that it has relayed.
  [[nodiscard]] bool owns(const Endpoint& at) const { return at.address == address_.address; }
  [[nodiscard]] bool is_part(const Actor* actor) const;
  [[nodiscard]] std::size_t allocations() const { return allocations_.size(); }  // ever made
  [[nodiscard]] const std::string& username() const { return username_; }
  [[nodiscard]] const std::string& password() const { return password_; }

  void on_datagram(const Endpoint& from, Bytes bytes, Time now) override;
  void on_deadline(Time) override {}
  [[nodiscard]] Time next_deadline() const override { return kNever; }

 private:
  class Port;  // a relayed one
  struct Stream {
    const Actor* client = nullptr;
    std::function<void(Bytes)> received;
    std::unique_ptr<Port> port;
    std::array<std::vector<Buffer>, 2> queues;  // to here, to the client
  };
  enum class Way : std::uint8_t { kHere, kBack };

  std::unique_ptr<Port> new_port(std::function<void(Bytes)> to_client, const Endpoint& mapped);
  void put(std::uint64_t stream, Way way, Buffer message);
  void pump(std::uint64_t stream, Way way, Duration after);

  World& world_;
  Endpoint address_;
  std::string username_ = "1800000000:device";
  std::string password_ = "secret";
  std::map<Endpoint, std::unique_ptr<Port>> allocations_;
  std::map<std::uint64_t, Stream> streams_;
  std::uint64_t last_stream_ = 0;
  std::uint16_t next_port_ = 50000;
};

}  // namespace hearthcast::sim
