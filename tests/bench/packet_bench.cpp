// What the box's data thread spends per datagram and viewer, beside a floor in the same rounds: for sealed
// viewers the bare cipher and one segmented send of ready octets, for clear ones that send alone. What a
// viewer holds in memory. And what the client spends to open and keep a datagram. Loopback; sinks are read in
// between. Usage: packet_bench FOLDER
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <stdexcept>

#include "tests/bench/packet/allocations.hpp"
#include "tests/bench/packet/floor.hpp"
#include "tests/bench/packet/scene.hpp"
#include "tests/bench/report.hpp"
#include "tunnelmgr/datapath/port_reader.hpp"
#include "tunnelmgr/playout/stream_buffer.hpp"

namespace {

using namespace hearthcast;
using namespace hearthcast::bench;

constexpr int kRounds = 400;
constexpr std::size_t kInnerHeaders = 28;  // IPv4 and UDP

// Of this thread's processor time: a busy machine takes its share elsewhere.
template <class Work>
double nanoseconds_each(std::size_t count, Work work) {
  const auto now = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
  const double begin = now();
  work();
  return (now() - begin) / static_cast<double>(count);
}

// The least work that brings as many octets to the same viewers.
class Floor {
 public:
  Floor(Scene& scene, Scene::Seal seal)
      : scene_(scene),
        sealed_(seal == Scene::Seal::kDtls),
        frame_(kPayload + kInnerHeaders + (sealed_ ? tunnel::kMediaGreSize : 4), 0x47),
        stride_(frame_.size() + (sealed_ ? secure::kDtlsMaxOverhead : 0)),
        ready_(stride_ * kBatch, 0x47) {}
  void send() {
    for (const auto& viewer : scene_.wires.viewers) {
      for (std::size_t n = 0; sealed_ && n < kBatch; ++n) {
        cipher_.seal(frame_, MutableBytes(ready_).subspan(n * stride_, stride_));
      }
      static_cast<void>(scene_.socket.send_segments(viewer, ready_, stride_, kBatch, stride_));
    }
  }

 private:
  Scene& scene_;
  bool sealed_;
  AeadFloor cipher_;
  Buffer frame_;
  std::size_t stride_;
  Buffer ready_;
};

// A batch of such datagrams from the provider.
std::vector<linux::Datagram> as_received(Bytes payload) {
  linux::Datagram datagram;
  datagram.source = *Endpoint::parse("192.0.2.1:1234");
  datagram.payload = payload;
  datagram.hop_limit = 16;
  return std::vector<linux::Datagram>(kBatch, datagram);
}

struct Goals {
  double floor_share;  // of the floor's work for each octet in the product's, with many viewers
  double sharing;      // cost of one output packet with 16 viewers over that with one
};

// Nanoseconds for each output packet, the reading of what came in included.
double measure_forwarding(Report& report, Scene::Seal seal, std::size_t viewers, const Goals& goals) {
  Scene scene(viewers, seal);
  const auto payload = transport_stream();
  const auto received = as_received(payload);
  Floor floor(scene, seal);
  Samples product, least, allocated, whole;
  for (int round = 0; round < kRounds; ++round) {
    const std::size_t before = allocations();
    product.add(nanoseconds_each(kBatch * viewers, [&] { scene.forward(received); }));
    allocated.add(static_cast<double>(allocations() - before));
    scene.wires.empty_sinks();
    least.add(nanoseconds_each(kBatch * viewers, [&] { floor.send(); }));
    scene.wires.empty_sinks();
    scene.wires.provide(payload);
    whole.add(nanoseconds_each(kBatch * viewers, [&] {
      for (std::size_t got = 0; got < kBatch;) {
        got += scene.wires.ingest.receive(scene.wires.batch).datagrams.size();
      }
      scene.forward(received);
    }));
    scene.wires.empty_sinks();
  }
  const auto name =
      (seal == Scene::Seal::kDtls ? "sealed_" : "clear_") + std::to_string(viewers) + "_viewers";
  report.row(name, product, "ns per packet and viewer");
  report.row(name + "_floor", least, "ns per packet and viewer");
  if (viewers >= 16) {
    report.row_at_least(name + "_share_of_floor", ratio(least, product), "ratio", goals.floor_share);
  } else {  // framing and its checksum weigh fully
    report.row(name + "_share_of_floor", ratio(least, product), "ratio");
  }
  report.row_at_most(name + "_allocations", allocated, "count", 0);
  report.row(name + "_with_reading", whole, "ns per packet and viewer");
  return whole.median();
}

void measure(Report& report, Scene::Seal seal, const Goals& goals) {
  const double one = measure_forwarding(report, seal, 1, goals);
  measure_forwarding(report, seal, 4, goals);
  const double sixteen = measure_forwarding(report, seal, 16, goals);
  Samples change;
  change.add(sixteen / one);
  report.row_at_most(seal == Scene::Seal::kDtls ? "sealed_cost_16_over_1" : "clear_cost_16_over_1", change,
                     "ratio", goals.sharing);
}

// What each viewer of a channel holds once media flow and something was asked for again. The ring that they
// share is there with the first.
void measure_memory(Report& report) {
  constexpr std::size_t kMore = 16;
  const auto payload = transport_stream();
  const auto received = as_received(payload);
  tunnel::Nack asked(1);
  asked.add({.first = 100, .count = 400});
  const auto held_by = [&](std::size_t viewers) {
    const auto before = octets_in_use();
    Scene scene(viewers, Scene::Seal::kDtls);
    for (int round = 0; round < 64; ++round) {
      scene.forward(received);
      scene.wires.empty_sinks();
    }
    for (const auto& peer : scene.peers) {
      scene.flow.on_nack(asked, peer.id);
    }
    static_cast<void>(scene.flow.send_again(scene.forms, scene.sender));
    scene.wires.empty_sinks();
    return static_cast<double>(octets_in_use() - before);
  };
  static_cast<void>(held_by(1));  // makes what is made once for all
  Samples each;
  for (int round = 0; round < 5; ++round) {
    const double one = held_by(1);
    each.add((held_by(1 + kMore) - one) / static_cast<double>(kMore) / 1024);
  }
  report.row_at_most("memory_of_a_sealed_viewer", each, "KiB", 256);
}

void measure_client(Report& report) {
  auto ends = handshake();
  const auto payload = transport_stream();
  tunnel::FlowFramer framer(FlowId{1}, {kFlow.group, kFlow.port});
  playout::StreamBuffer stream;
  Buffer slot(tunnel::kFrameHeadroom + kPayload);
  std::copy(payload.begin(), payload.end(), slot.begin() + tunnel::kFrameHeadroom);
  std::vector<Buffer> records(kBatch, Buffer(2048));
  Buffer opened(secure::kDtlsMaxPlaintext);
  Samples cost, allocated;
  for (int round = 0; round < kRounds; ++round) {
    for (auto& record : records) {
      record.resize(2048);
      const auto frame = framer.frame(slot, {*Endpoint::parse("192.0.2.1:1234"), 16, 0});
      record.resize(ends.box->seal(*frame, record));
    }
    const std::size_t before = allocations();
    cost.add(nanoseconds_each(kBatch, [&] {
      for (const auto& record : records) {
        const auto size = ends.device->open(record, opened);
        const auto inner = tunnel::decode_inner_packet(Bytes(opened).first(size ? *size : 0));
        if (!inner) {
          throw std::runtime_error("a record did not open");
        }
        stream.on_datagram(tunnel::decode_media(*inner)->payload);
      }
    }));
    allocated.add(static_cast<double>(allocations() - before));
  }
  report.row("client_open_and_keep", cost, "ns per packet");
  report.row_at_most("client_allocations", allocated, "count", 0);
}

}  // namespace

int main(int argc, char** argv) {
  Report report("packet");
  report.note("openssl", OpenSSL_version(OPENSSL_VERSION));
  report.note("profile", "loopback, batches of 16 datagrams of 1316 octets, AES-128-GCM; clear: GRE in UDP");
  try {
    measure(report, Scene::Seal::kDtls, {.floor_share = 0.75, .sharing = 0.65});
    measure(report, Scene::Seal::kNone, {.floor_share = 0.70, .sharing = 0.55});
    measure_memory(report);
    measure_client(report);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "packet_bench: %s\n", error.what());
    return 2;
  }
  return report.finish(argc > 1 ? argv[1] : ".") ? 0 : 1;
}
