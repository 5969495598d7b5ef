#include "tunnelmgr/secure/passphrase_seal.hpp"

#include <array>
#include <limits>

#include "tunnelmgr/secure/handles.hpp"

namespace hearthcast::secure {
namespace {

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;

constexpr std::string_view kMagic = "HEARTHCAST SEALED 1\n";
constexpr std::size_t kSalt = 16;
constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;
constexpr std::size_t kHeader = kMagic.size() + 1 + kSalt + kNonce;
constexpr std::uint64_t kBlockSize = 8;
constexpr std::uint64_t kLanes = 1;

using Key = std::array<std::uint8_t, 32>;

Result<Key, Failure> make_key(std::string_view passphrase, Bytes salt, int work) {
  Key key{};
  const std::uint64_t n = std::uint64_t{1} << work;
  const std::uint64_t memory = std::uint64_t{256} * kBlockSize * n;  // OpenSSL's own bound is 32 MiB
  if (EVP_PBE_scrypt(passphrase.data(), passphrase.size(), salt.data(), salt.size(), n, kBlockSize, kLanes,
                     memory, key.data(), key.size()) != 1) {
    return Failure{"The key cannot be made from the passphrase: " + take_openssl_error() + "; it takes " +
                   std::to_string(128 * kBlockSize * n >> 20) + " MiB of memory."};
  }
  return key;
}

bool fits(Bytes octets) { return octets.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()); }

}  // namespace

Result<Buffer, Failure> seal_by_passphrase(Bytes plain, std::string_view passphrase, Random& random,
                                           int work) {
  Buffer out;
  Writer to(out);
  to.bytes(as_bytes(kMagic));
  to.u8(static_cast<std::uint8_t>(work));
  to.zeros(kSalt + kNonce);
  random.fill(MutableBytes(out).last(kSalt + kNonce));
  const auto key = make_key(passphrase, Bytes(out).subspan(kMagic.size() + 1, kSalt), work);
  if (!key) {
    return key.error();
  }
  const CipherContext context(EVP_CIPHER_CTX_new());
  out.resize(kHeader + plain.size() + kTag);
  const MutableBytes room(out);
  int size = 0;
  const bool sealed =
      context && fits(plain) &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key->data(),
                         out.data() + kHeader - kNonce) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, out.data(), static_cast<int>(kHeader)) == 1 &&
      EVP_EncryptUpdate(context.get(), room.subspan(kHeader).data(), &size, plain.data(),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), room.last(kTag).data(), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTag),
                          room.last(kTag).data()) == 1;
  if (!sealed) {
    return Failure{"The octets cannot be sealed: " + take_openssl_error()};
  }
  return out;
}

Result<Buffer, Failure> open_by_passphrase(Bytes sealed, std::string_view passphrase) {
  const bool ours =
      sealed.size() >= kHeader + kTag && fits(sealed) && as_text(sealed.first(kMagic.size())) == kMagic;
  const int work = ours ? sealed[kMagic.size()] : 0;
  if (!ours || work < kLeastSealWork || work > kMostSealWork) {
    return Failure{"This is no file that `hearthcast-box export` of this version has written."};
  }
  const auto key = make_key(passphrase, sealed.subspan(kMagic.size() + 1, kSalt), work);
  if (!key) {
    return key.error();
  }
  const CipherContext context(EVP_CIPHER_CTX_new());
  const Bytes inside = sealed.subspan(kHeader, sealed.size() - kHeader - kTag);
  Buffer tag(sealed.last(kTag).begin(), sealed.last(kTag).end());
  Buffer out(inside.size() + 1);  // never empty: OpenSSL takes a null pointer for something else
  int size = 0;
  const bool opened =
      context &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key->data(),
                         sealed.subspan(kHeader - kNonce).data()) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, sealed.data(), static_cast<int>(kHeader)) == 1 &&
      EVP_DecryptUpdate(context.get(), out.data(), &size, inside.data(), static_cast<int>(inside.size())) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTag), tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), out.data() + inside.size(), &size) == 1;
  ERR_clear_error();
  if (!opened) {
    return Failure{"The passphrase is another one, or the file is damaged."};
  }
  out.resize(inside.size());
  return out;
}

}  // namespace hearthcast::secure
