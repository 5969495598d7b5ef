// What DTLS costs per media packet above the bare cipher, in the same run: seal and open of 1356 octets,
// allocations, and the handshake. Usage: secure_bench FOLDER
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <stdexcept>

#include "tests/bench/report.hpp"
#include "tunnelmgr/secure/dtls_session.hpp"

namespace {

using namespace hearthcast;
using namespace hearthcast::secure;

constexpr std::size_t kPacket = 1356;  // a transport-stream datagram with its inner IPv6 and UDP headers
constexpr std::size_t kBatch = 200;    // stays in the second-level cache, as a real batch does
constexpr int kRounds = 200;

std::atomic<std::size_t> openssl_allocations = 0;

void* counted_malloc(std::size_t size, const char*, int) {
  ++openssl_allocations;
  return std::malloc(size);
}
void* counted_realloc(void* old, std::size_t size, const char*, int) {
  ++openssl_allocations;
  return std::realloc(old, size);
}
void counted_free(void* old, const char*, int) { std::free(old); }

// Of this thread's processor time: a busy machine takes its share elsewhere.
double nanoseconds_each(std::size_t count, const std::function<void()>& work) {
  const auto now = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  };
  const double begin = now();
  work();
  return (now() - begin) / static_cast<double>(count);
}

void require(bool condition, const char* what) {
  if (!condition) {
    throw std::runtime_error(what);
  }
}

// AES-128-GCM as bare as OpenSSL offers it: one context, a new nonce per packet.
class BareCipher {
 public:
  BareCipher() : seal_(EVP_CIPHER_CTX_new()), open_(EVP_CIPHER_CTX_new()) {
    EVP_EncryptInit_ex(seal_, EVP_aes_128_gcm(), nullptr, key_.data(), seal_nonce_.data());
    EVP_DecryptInit_ex(open_, EVP_aes_128_gcm(), nullptr, key_.data(), open_nonce_.data());
  }
  BareCipher(const BareCipher&) = delete;
  BareCipher& operator=(const BareCipher&) = delete;
  ~BareCipher() {
    EVP_CIPHER_CTX_free(seal_);
    EVP_CIPHER_CTX_free(open_);
  }
  void seal(Bytes plaintext, MutableBytes out) {
    int size = 0;
    count_up(seal_nonce_);
    EVP_EncryptInit_ex(seal_, nullptr, nullptr, nullptr, seal_nonce_.data());
    EVP_EncryptUpdate(seal_, nullptr, &size, header_.data(), static_cast<int>(header_.size()));
    EVP_EncryptUpdate(seal_, out.data(), &size, plaintext.data(), static_cast<int>(plaintext.size()));
    EVP_EncryptFinal_ex(seal_, out.data() + size, &size);
    EVP_CIPHER_CTX_ctrl(seal_, EVP_CTRL_AEAD_GET_TAG, 16, out.data() + plaintext.size());
  }
  bool open(MutableBytes sealed, MutableBytes out) {
    int size = 0;
    const std::size_t text = sealed.size() - 16;
    count_up(open_nonce_);
    EVP_DecryptInit_ex(open_, nullptr, nullptr, nullptr, open_nonce_.data());
    EVP_DecryptUpdate(open_, nullptr, &size, header_.data(), static_cast<int>(header_.size()));
    EVP_DecryptUpdate(open_, out.data(), &size, sealed.data(), static_cast<int>(text));
    EVP_CIPHER_CTX_ctrl(open_, EVP_CTRL_AEAD_SET_TAG, 16, sealed.data() + text);
    return EVP_DecryptFinal_ex(open_, out.data() + size, &size) == 1;
  }

 private:
  using Nonce = std::array<unsigned char, 12>;
  static void count_up(Nonce& nonce) {
    for (auto octet = nonce.rbegin(); octet != nonce.rend() && ++*octet == 0; ++octet) {
    }
  }
  std::array<unsigned char, 16> key_{1, 2, 3};
  Nonce seal_nonce_{};
  Nonce open_nonce_{};  // what is sealed is opened in the same order
  std::array<unsigned char, 13> header_{};
  EVP_CIPHER_CTX* seal_;
  EVP_CIPHER_CTX* open_;
};

struct Pair {
  Pair(const DtlsContext& away, const IdentityId& away_id, const DtlsContext& home, const IdentityId& home_id)
      : client(away, DtlsRole::kClient, home_id), server(home, DtlsRole::kServer, away_id) {
    static_cast<void>(server.start(Time{}));
    const auto hello = server.on_datagram(client.start(Time{}).at(0), Time{});
    const auto finished = server.on_datagram(client.on_datagram(hello.at(0), Time{}).at(0), Time{});
    static_cast<void>(client.on_datagram(finished.at(0), Time{}));
    require(client.state() == DtlsState::kEstablished, "handshake failed");
  }
  DtlsSession client;
  DtlsSession server;
};

void measure(bench::Report& report) {
  const OpenSslIdentity away = make_identity();
  const OpenSslIdentity home = make_identity();
  const DtlsContext away_context = DtlsContext::make(away).value();
  const DtlsContext home_context = DtlsContext::make(home).value();
  Pair pair(away_context, away.id(), home_context, home.id());
  report.note("cipher", pair.server.cipher());

  const std::size_t stride = kPacket + pair.server.overhead();
  const Buffer plaintext(kPacket, 0x47);
  Buffer slab(stride * kBatch);
  Buffer opened(2048);
  const auto slot = [&](std::size_t i) { return MutableBytes(slab).subspan(i * stride, stride); };
  BareCipher bare;
  bench::Samples bare_seal, bare_open, dtls_seal, dtls_open, handshake, allocations;
  for (int round = 0; round < kRounds; ++round) {
    bare_seal.add(nanoseconds_each(kBatch, [&] {
      for (std::size_t i = 0; i < kBatch; ++i) {
        bare.seal(plaintext, slot(i));
      }
    }));
    bare_open.add(nanoseconds_each(kBatch, [&] {
      for (std::size_t i = 0; i < kBatch; ++i) {
        require(bare.open(slot(i).first(kPacket + 16), opened), "the bare cipher did not open");
      }
    }));
    const std::size_t before = openssl_allocations;
    dtls_seal.add(nanoseconds_each(kBatch, [&] {
      for (std::size_t i = 0; i < kBatch; ++i) {
        require(pair.server.seal(plaintext, slot(i)) == stride, "DTLS did not seal");
      }
    }));
    dtls_open.add(nanoseconds_each(kBatch, [&] {
      for (std::size_t i = 0; i < kBatch; ++i) {
        require(pair.client.open(slot(i), opened).has_value(), "DTLS did not open");
      }
    }));
    allocations.add(static_cast<double>(openssl_allocations - before) / kBatch);
    handshake.add(
        nanoseconds_each(1, [&] { const Pair again(away_context, away.id(), home_context, home.id()); }) /
        1e6);
  }
  report.row("bare_seal", bare_seal, "ns");
  report.row("bare_open", bare_open, "ns");
  report.row("dtls_seal", dtls_seal, "ns");
  report.row("dtls_open", dtls_open, "ns");
  report.row_at_most("dtls_seal_over_bare", bench::ratio(dtls_seal, bare_seal), "ratio", 1.35);
  report.row_at_most("dtls_open_over_bare", bench::ratio(dtls_open, bare_open), "ratio", 1.6);
  report.row_at_most("allocations_per_packet", allocations, "count", 0);
  report.row("handshake_both_sides", handshake, "ms");
}

}  // namespace

int main(int argc, char** argv) {
  CRYPTO_set_mem_functions(counted_malloc, counted_realloc,
                           counted_free);  // before OpenSSL's first allocation
  bench::Report report("secure");
  report.note("openssl", OpenSSL_version(OPENSSL_VERSION));
  try {
    measure(report);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "secure_bench: %s\n", error.what());
    return 2;
  }
  return report.finish(argc > 1 ? argv[1] : ".") ? 0 : 1;
}
