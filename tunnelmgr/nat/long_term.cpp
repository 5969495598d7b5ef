#include "tunnelmgr/nat/long_term.hpp"

#include <algorithm>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::nat {
namespace {

constexpr std::string_view kNonceCookie = "obMatJos2";  // RFC 8489 section 9.2
constexpr std::size_t kFeatureSymbols = 4;              // 24 bits in base64 behind it

// The bit that says that PASSWORD-ALGORITHMS belongs to this nonce: the most significant of the 24.
bool announces_algorithms(std::string_view nonce) {
  if (!nonce.starts_with(kNonceCookie) || nonce.size() < kNonceCookie.size() + kFeatureSymbols) {
    return false;
  }
  const char first = nonce[kNonceCookie.size()];  // A to Z and a to f are 0 to 31: the bit is not set
  return !((first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'f'));
}

}  // namespace

void LongTerm::set_account(std::string username, std::string password) {
  username_ = std::move(username);
  password_ = std::move(password);
  make_key();
}

void LongTerm::forget_challenge() {
  challenged_ = false;
  realm_.clear();
  nonce_.clear();
  algorithms_.clear();
  algorithm_.reset();
  key_.clear();
}

bool LongTerm::on_challenge(const wire::StunMessage& answer) {
  if (!answer.realm || !answer.nonce || answer.realm->empty() ||
      announces_algorithms(*answer.nonce) == answer.password_algorithms.empty()) {
    return false;
  }
  algorithm_.reset();
  for (const auto known : {wire::kPasswordSha256, wire::kPasswordMd5}) {
    if (!algorithm_ &&
        std::ranges::find(answer.password_algorithms, known) != answer.password_algorithms.end()) {
      algorithm_ = known;
    }
  }
  if (!algorithm_ && !answer.password_algorithms.empty()) {
    return false;  // none that we know
  }
  algorithms_ = answer.password_algorithms;
  realm_ = *answer.realm;
  nonce_ = *answer.nonce;
  challenged_ = true;
  make_key();
  return true;
}

void LongTerm::make_key() {
  const std::string text = username_ + ":" + realm_ + ":" + password_;
  if (algorithm_ == wire::kPasswordSha256) {
    const auto digest = crypto_.sha256(as_bytes(text));
    key_.assign(digest.begin(), digest.end());
  } else {
    const auto digest = hashes_.md5(as_bytes(text));
    key_.assign(digest.begin(), digest.end());
  }
}

Buffer LongTerm::seal(wire::StunMessage request) const {
  if (!challenged_) {
    return wire::encode_stun(request);
  }
  request.username = username_;
  request.realm = realm_;
  request.nonce = nonce_;
  request.password_algorithms = algorithms_;
  request.password_algorithm = algorithm_;
  return wire::encode_stun(request, crypto_, key_,
                           algorithm_ ? wire::StunIntegrity::kSha256 : wire::StunIntegrity::kSha1);
}

bool LongTerm::proves(Bytes datagram) const {
  return challenged_ && (algorithm_ ? wire::check_integrity_sha256(datagram, crypto_, key_)
                                    : wire::check_integrity(datagram, crypto_, key_));
}

}  // namespace hearthcast::nat
