#include "tunnelmgr/secure/openssl_old_hashes.hpp"

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>

namespace hearthcast::secure {
namespace {

// A machine may forbid these hashes; a wrong digest must not go on as a right one.
template <std::size_t size>
std::array<std::uint8_t, size> digest(const EVP_MD* method, Bytes message) {
  std::array<std::uint8_t, size> out{};
  unsigned length = 0;
  if (EVP_Digest(message.data(), message.size(), out.data(), &length, method, nullptr) != 1 ||
      length != size) {
    std::fprintf(stderr,
                 "fatal: OpenSSL on this machine refuses a hash that an unsealed peer or a relay needs\n");
    std::abort();
  }
  return out;
}

}  // namespace

std::array<std::uint8_t, 20> OpenSslOldHashes::sha1(Bytes message) const {
  return digest<20>(EVP_sha1(), message);
}

std::array<std::uint8_t, 16> OpenSslOldHashes::md5(Bytes message) const {
  return digest<16>(EVP_md5(), message);
}

}  // namespace hearthcast::secure
