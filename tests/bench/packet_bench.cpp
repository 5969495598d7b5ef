// What the box's data thread spends per datagram and viewer, from the received batch to the last send,
// against a floor in the same rounds: the bare cipher for every viewer, then one segmented send of ready
// octets. And what the client spends to open and keep one. Loopback; the sinks are read in between. Usage:
// packet_bench FOLDER
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <new>
#include <stdexcept>

#include "appliance/forward/flow.hpp"
#include "tests/bench/report.hpp"
#include "tunnelmgr/datapath/port_reader.hpp"
#include "tunnelmgr/playout/stream_buffer.hpp"

namespace {
std::size_t allocations = 0;  // of this one thread
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* room = std::malloc(size)) {
    return room;
  }
  throw std::bad_alloc();
}
void operator delete(void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t) noexcept { std::free(room); }

namespace {

using namespace hearthcast;

constexpr std::size_t kPayload = 1316;
constexpr std::size_t kBatch = 16;  // datagrams of one receive call
constexpr int kRounds = 400;
const IpAddress kLoopback = *IpAddress::parse("127.0.0.1");
const FlowKey kFlow{std::nullopt, *IpAddress::parse("239.1.1.1"), 5004};

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

// The least that any program with this cipher and this system call spends.
class Floor {
 public:
  Floor() : seal_(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free) {
    EVP_EncryptInit_ex(seal_.get(), EVP_aes_128_gcm(), nullptr, key_.data(), nonce_.data());
  }
  void seal(Bytes plaintext, MutableBytes out) {
    int size = 0;
    for (auto octet = nonce_.rbegin(); octet != nonce_.rend() && ++*octet == 0; ++octet) {
    }
    EVP_EncryptInit_ex(seal_.get(), nullptr, nullptr, nullptr, nonce_.data());
    EVP_EncryptUpdate(seal_.get(), out.data(), &size, plaintext.data(), static_cast<int>(plaintext.size()));
    EVP_EncryptFinal_ex(seal_.get(), out.data() + size, &size);
    EVP_CIPHER_CTX_ctrl(seal_.get(), EVP_CTRL_AEAD_GET_TAG, 16, out.data() + plaintext.size());
  }

 private:
  std::array<unsigned char, 16> key_{1, 2, 3};
  std::array<unsigned char, 12> nonce_{};
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> seal_;
};

struct Ends {
  std::unique_ptr<secure::DtlsSession> box;
  std::unique_ptr<secure::DtlsSession> device;
};

Ends handshake() {
  static const auto away = secure::make_identity();
  static const auto home = secure::make_identity();
  static const auto away_context = secure::DtlsContext::make(away).value();
  static const auto home_context = secure::DtlsContext::make(home).value();
  Ends ends{std::make_unique<secure::DtlsSession>(home_context, secure::DtlsRole::kServer, away.id()),
            std::make_unique<secure::DtlsSession>(away_context, secure::DtlsRole::kClient, home.id())};
  static_cast<void>(ends.box->start(Time{}));
  const auto hello = ends.box->on_datagram(ends.device->start(Time{}).at(0), Time{});
  const auto finished = ends.box->on_datagram(ends.device->on_datagram(hello.at(0), Time{}).at(0), Time{});
  static_cast<void>(ends.device->on_datagram(finished.at(0), Time{}));
  if (ends.device->state() != secure::DtlsState::kEstablished) {
    throw std::runtime_error("handshake failed");
  }
  return ends;
}

Buffer transport_stream() {
  Buffer payload(kPayload, 0xFF);
  for (std::size_t at = 0; at < kPayload; at += 188) {
    payload[at] = 0x47;
    payload[at + 1] = 0x1F;  // null packets: their counters mean nothing
    payload[at + 2] = 0xFF;
    payload[at + 3] = 0x10;
  }
  return payload;
}

struct Scene {
  explicit Scene(std::size_t viewers) : peers(viewers) {
    for (std::size_t n = 0; n < viewers; ++n) {
      sinks.push_back(linux::UdpSocket::open({}).value());
      auto ends = handshake();
      peers[n].id = PeerId{static_cast<std::int64_t>(n + 1)};
      peers[n].endpoint = {kLoopback, sinks.back().port()};
      peers[n].session = std::move(ends.box);
      devices.push_back(std::move(ends.device));
      flow.viewers().emplace_back().peer = &peers[n];
    }
  }
  void empty_sinks() {
    for (auto& sink : sinks) {
      while (!sink.receive(batch).datagrams.empty()) {
      }
    }
  }
  linux::UdpSocket socket = linux::UdpSocket::open({}).value();
  datapath::RelayRoute route;
  datapath::SegmentSender sender{socket, route};
  forward::FormedBatch forms;
  std::vector<datapath::Peer> peers;
  std::vector<linux::UdpSocket> sinks;
  std::vector<std::unique_ptr<secure::DtlsSession>> devices;
  forward::Flow flow{forward::AddFlow{FlowId{1}, kFlow, nullptr}};
  linux::ReceiveBatch batch;
};

double measure_forwarding(bench::Report& report, std::size_t viewers) {
  Scene scene(viewers);
  const auto payload = transport_stream();
  linux::Datagram datagram;
  datagram.source = *Endpoint::parse("192.0.2.1:1234");
  datagram.payload = payload;
  datagram.hop_limit = 16;
  const std::vector<linux::Datagram> received(kBatch, datagram);

  Floor floor;
  const Buffer plaintext(kPayload + 40, 0x47);
  const std::size_t stride = plaintext.size() + secure::kDtlsMaxOverhead;
  Buffer ready(stride * kBatch);
  bench::Samples product, least, allocated;
  for (int round = 0; round < kRounds; ++round) {
    const std::size_t before = allocations;
    product.add(nanoseconds_each(kBatch * viewers, [&] {
      static_cast<void>(scene.flow.forward(received, scene.forms, scene.sender, Clock::now()));
    }));
    allocated.add(static_cast<double>(allocations - before));
    scene.empty_sinks();
    least.add(nanoseconds_each(kBatch * viewers, [&] {
      for (const auto& peer : scene.peers) {
        for (std::size_t n = 0; n < kBatch; ++n) {
          floor.seal(plaintext, MutableBytes(ready).subspan(n * stride, stride));
        }
        static_cast<void>(scene.socket.send_segments(peer.endpoint, ready, stride, kBatch, stride));
      }
    }));
    scene.empty_sinks();
  }
  const auto name = "forward_" + std::to_string(viewers) + "_viewers";
  report.row(name, product, "ns per packet and viewer");
  report.row(name + "_floor", least, "ns per packet and viewer");
  // With one viewer framing and its checksum weigh fully; with many only the record layer is left.
  report.row_at_most(name + "_over_floor", bench::ratio(product, least), "ratio", viewers >= 16 ? 1.35 : 1.7);
  report.row_at_most(name + "_allocations", allocated, "count", 0);
  return product.median();
}

void measure_client(bench::Report& report) {
  auto ends = handshake();
  const auto payload = transport_stream();
  tunnel::FlowFramer framer(FlowId{1}, {kFlow.group, kFlow.port});
  playout::StreamBuffer stream;
  Buffer slot(tunnel::kFrameHeadroom + kPayload);
  std::copy(payload.begin(), payload.end(), slot.begin() + tunnel::kFrameHeadroom);
  std::vector<Buffer> records(kBatch, Buffer(2048));
  Buffer opened(secure::kDtlsMaxPlaintext);
  bench::Samples cost, allocated;
  for (int round = 0; round < kRounds; ++round) {
    for (auto& record : records) {
      record.resize(2048);
      const auto frame = framer.frame(slot, {*Endpoint::parse("192.0.2.1:1234"), 16, 0});
      record.resize(ends.box->seal(*frame, record));
    }
    const std::size_t before = allocations;
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
    allocated.add(static_cast<double>(allocations - before));
  }
  report.row("client_open_and_keep", cost, "ns per packet");
  report.row_at_most("client_allocations", allocated, "count", 0);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("packet");
  report.note("openssl", OpenSSL_version(OPENSSL_VERSION));
  report.note("profile", "loopback, batches of 16 datagrams of 1316 octets, AES-128-GCM");
  try {
    const double one = measure_forwarding(report, 1);
    measure_forwarding(report, 4);
    const double sixteen = measure_forwarding(report, 16);
    bench::Samples change;
    change.add(sixteen / one);
    report.row("cost_with_16_viewers_over_1", change, "ratio");
    measure_client(report);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "packet_bench: %s\n", error.what());
    return 2;
  }
  return report.finish(argc > 1 ? argv[1] : ".") ? 0 : 1;
}
