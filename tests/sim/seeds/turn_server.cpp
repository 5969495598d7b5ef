#include "tests/sim/seeds/turn_server.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kStreamHop = 40ms;
constexpr Duration kStreamHandshakes = 4 * kStreamHop;
constexpr Duration kStreamRepeat = 200ms;  // while a wire is down

}  // namespace

// What peers speak to.
class TurnServer::Port final : public Actor {
 public:
  Port(World& world, const Endpoint& at, const Endpoint& mapped, std::function<void(Bytes)> to_client)
      : world_(world), to_client_(std::move(to_client)) {
    relay_.relayed = at;
    relay_.mapped = mapped;
    world_.add_host(*this, at.to_string());
  }
  ~Port() override { world_.remove_host(*this); }

  void take(Bytes message) {
    relay_.take(message, world_.now());
    for (const auto& forwarded : std::exchange(relay_.to_peers, {})) {
      world_.send(*this, forwarded.to, forwarded.bytes);
    }
    answer();
  }
  void on_datagram(const Endpoint& from, Bytes bytes, Time now) override {
    (void)relay_.from_peer(from, bytes, now);
    answer();
  }
  void on_deadline(Time) override {}
  [[nodiscard]] Time next_deadline() const override { return kNever; }

 private:
  void answer() {
    for (const Buffer& message : relay_.answers()) {
      to_client_(message);
    }
  }

  World& world_;
  nat::FakeRelay relay_;
  std::function<void(Bytes)> to_client_;
};

TurnServer::TurnServer(World& world) : world_(world), address_(*Endpoint::parse(kRelayAddress)) {
  world.add_host(*this, address_.to_string());
}

TurnServer::~TurnServer() = default;

std::unique_ptr<TurnServer::Port> TurnServer::new_port(std::function<void(Bytes)> to_client,
                                                       const Endpoint& mapped) {
  return std::make_unique<Port>(world_, Endpoint{address_.address, next_port_++}, mapped,
                                std::move(to_client));
}

bool TurnServer::is_part(const Actor* actor) const {
  return actor == this ||
         std::ranges::any_of(allocations_, [&](const auto& a) { return a.second.get() == actor; }) ||
         std::ranges::any_of(streams_, [&](const auto& s) { return s.second.port.get() == actor; });
}

void TurnServer::on_datagram(const Endpoint& from, Bytes bytes, Time) {
  auto& port = allocations_[from];
  if (!port) {
    port = new_port([this, from](Bytes message) { world_.send(*this, from, message); }, from);
  }
  port->take(bytes);
}

std::uint64_t TurnServer::open_stream(const Actor& client, std::function<void()> opened,
                                      std::function<void(Bytes)> received) {
  const auto id = ++last_stream_;
  Stream& stream = streams_[id];
  stream.client = &client;
  stream.received = std::move(received);
  world_.at(world_.now() + kStreamHandshakes, [this, id, opened = std::move(opened)] {
    const auto at = streams_.find(id);
    if (at == streams_.end() || !world_.reaches_core(*at->second.client, Family::kIp4)) {
      return;
    }
    const auto back = [this, id](Bytes message) {
      put(id, Way::kBack, Buffer(message.begin(), message.end()));
    };
    at->second.port = new_port(back, {world_.addresses_of(*at->second.client).front(), 1});
    opened();
  });
  return id;
}

void TurnServer::close_stream(std::uint64_t stream) { streams_.erase(stream); }

void TurnServer::send_on_stream(std::uint64_t stream, Bytes message) {
  put(stream, Way::kHere, Buffer(message.begin(), message.end()));
}

void TurnServer::put(std::uint64_t stream, Way way, Buffer message) {
  if (const auto at = streams_.find(stream); at != streams_.end() && at->second.port) {
    at->second.queues.at(static_cast<std::size_t>(way)).push_back(std::move(message));
    pump(stream, way, kStreamHop);
  }
}

// Each call delivers the first message that waits, if any: as many calls as messages, in their order.
void TurnServer::pump(std::uint64_t stream, Way way, Duration after) {
  world_.at(world_.now() + after, [this, stream, way] {
    const auto at = streams_.find(stream);
    if (at == streams_.end()) {
      return;
    }
    if (!world_.reaches_core(*at->second.client, Family::kIp4)) {
      pump(stream, way, kStreamRepeat);
      return;
    }
    auto& queue = at->second.queues.at(static_cast<std::size_t>(way));
    const Buffer message = std::move(queue.front());
    queue.erase(queue.begin());
    if (way == Way::kHere) {
      at->second.port->take(message);
    } else {
      const auto received = at->second.received;
      received(message);
    }
  });
}

}  // namespace hearthcast::sim
