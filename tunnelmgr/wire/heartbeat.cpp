#include "tunnelmgr/wire/heartbeat.hpp"

#include <algorithm>
#include <charconv>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/text.hpp"

namespace hearthcast::wire {
namespace {

constexpr std::string_view kBegin = "HEARTBEAT TUNNEL ";
constexpr std::string_view kSender = "sender";
constexpr std::size_t kDigits = 32;
constexpr std::size_t kMaxSize = 256;

// Up to the next space, which is taken too; nothing when there is none.
std::optional<std::string_view> next_field(std::string_view& line) {
  const std::size_t end = line.find(' ');
  if (end == std::string_view::npos || end == 0) {
    return std::nullopt;
  }
  const auto field = line.substr(0, end);
  line.remove_prefix(end + 1);
  return field;
}

std::string_view without_end(Bytes datagram) {
  std::string_view line = as_text(datagram);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == '\0')) {
    line.remove_suffix(1);
  }
  return line;
}

// What is signed, but for the password.
std::string signed_text(const Heartbeat& heartbeat) {
  return std::string(kBegin) + heartbeat.tunnel.to_string() + " " +
         (heartbeat.address ? heartbeat.address->to_string() : std::string(kSender)) + " " +
         std::to_string(heartbeat.time) + " ";
}

std::array<std::uint8_t, 16> digest_of(std::string_view text, std::string_view password,
                                       const OldHashes& hashes) {
  return hashes.md5(as_bytes(std::string(text) + std::string(password)));
}

}  // namespace

Result<Heartbeat> decode_heartbeat(Bytes datagram) {
  std::string_view line = without_end(datagram);
  if (line.size() > kMaxSize) {
    return ParseError::kBadLength;
  }
  if (!line.starts_with(kBegin)) {
    return ParseError::kUnknownType;
  }
  line.remove_prefix(kBegin.size());
  const auto tunnel = next_field(line);
  const auto address = next_field(line);
  const auto time = next_field(line);
  if (!tunnel || !address || !time || line.size() < kDigits) {
    return ParseError::kTruncated;
  }
  Heartbeat heartbeat;
  const auto inner = IpAddress::parse(*tunnel);
  const auto digest = from_hex(line);
  const auto [end, error] = std::from_chars(time->data(), time->data() + time->size(), heartbeat.time);
  if (!inner || !inner->is_ip6() || error != std::errc{} || end != time->data() + time->size() || !digest ||
      digest->size() != heartbeat.digest.size()) {
    return ParseError::kBadValue;
  }
  heartbeat.tunnel = *inner;
  if (*address != kSender) {
    heartbeat.address = IpAddress::parse(*address);
    if (!heartbeat.address || !heartbeat.address->is_ip4()) {
      return ParseError::kBadValue;
    }
  }
  std::ranges::copy(*digest, heartbeat.digest.begin());
  return heartbeat;
}

bool is_heartbeat_signed(Bytes datagram, std::string_view password, const OldHashes& hashes) {
  const auto heartbeat = decode_heartbeat(datagram);
  if (!heartbeat) {
    return false;
  }
  // As the sender spelled it: an address has more than one text.
  std::string_view text = without_end(datagram);
  text.remove_suffix(kDigits);
  return Crypto::equal(digest_of(text, password, hashes), heartbeat->digest);
}

Buffer encode_heartbeat(const Heartbeat& heartbeat, std::string_view password, const OldHashes& hashes) {
  const std::string text = signed_text(heartbeat);
  const std::string line = text + to_hex(digest_of(text, password, hashes));
  return {line.begin(), line.end()};
}

}  // namespace hearthcast::wire
