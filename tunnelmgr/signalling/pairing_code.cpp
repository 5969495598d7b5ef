#include "tunnelmgr/signalling/pairing_code.hpp"

#include <algorithm>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::signalling {
namespace {

constexpr std::string_view kLinkPrefix = "hearthcast://pair#";
constexpr std::uint8_t kLinkVersion = 1;
enum PinKind : std::uint8_t { kNoRendezvous = 0, kWebpki = 1, kPinned = 2 };

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
}

template <std::size_t size>
void take_into(Reader& r, std::array<std::uint8_t, size>& out) {
  const Bytes octets = r.take(size);
  std::copy(octets.begin(), octets.end(), out.begin());  // nothing is copied after a short read
}

}  // namespace

std::string RendezvousAddress::pin_text() const { return pin ? to_hex(*pin) : "webpki"; }

std::optional<RendezvousAddress> RendezvousAddress::parse(std::string_view url, std::string_view pin) {
  RendezvousAddress address{std::string(url), std::nullopt};
  if (!url.starts_with("wss://") || url.size() <= 6 || url.size() > kMaxRendezvousUrl || !is_printable(url)) {
    return std::nullopt;
  }
  if (pin != "webpki") {
    const auto digest = IdentityId::parse(pin);
    if (!digest) {
      return std::nullopt;
    }
    address.pin = digest->digest;
  }
  return address;
}

std::string encode_link(const PairingLink& link) {
  Buffer out;
  Writer w(out);
  w.u8(kLinkVersion);
  w.bytes(link.box.digest);
  w.bytes(link.secret);
  if (!link.rendezvous) {
    w.u8(kNoRendezvous);
    w.u16(0);
  } else {
    w.u8(link.rendezvous->pin ? kPinned : kWebpki);
    if (link.rendezvous->pin) {
      w.bytes(*link.rendezvous->pin);
    }
    w.u16(static_cast<std::uint16_t>(link.rendezvous->url.size()));
    w.bytes(as_bytes(link.rendezvous->url));
  }
  const std::size_t count = std::min(link.addresses.size(), kMaxLinkAddresses);
  w.u8(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    w.u8(link.addresses[i].address.is_ip4() ? 4 : 6);
    w.bytes(link.addresses[i].address.bytes());
    w.u16(link.addresses[i].port);
  }
  return std::string(kLinkPrefix) + to_base64url(out);
}

Result<PairingLink> decode_link(std::string_view text) {
  if (!text.starts_with(kLinkPrefix)) {
    return ParseError::kUnknownType;
  }
  const auto octets = from_base64url(text.substr(kLinkPrefix.size()));
  if (!octets) {
    return ParseError::kBadValue;
  }
  Reader r(*octets);
  PairingLink link;
  if (r.u8() != kLinkVersion) {
    return r.failed() ? ParseError::kTruncated : ParseError::kUnsupported;
  }
  take_into(r, link.box.digest);
  take_into(r, link.secret);
  const std::uint8_t kind = r.u8();
  std::optional<Sha256> pin;
  if (kind == kPinned) {
    take_into(r, pin.emplace());
  }
  const std::string url(as_text(r.take(r.u16())));
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (kind > kPinned || (kind == kNoRendezvous) != url.empty()) {
    return ParseError::kBadValue;
  }
  if (kind != kNoRendezvous) {
    link.rendezvous = RendezvousAddress::parse(url, "webpki");
    if (!link.rendezvous) {
      return ParseError::kBadValue;
    }
    link.rendezvous->pin = pin;
  }
  const std::size_t count = r.u8();
  if (count > kMaxLinkAddresses) {
    return ParseError::kBadLength;
  }
  for (std::size_t i = 0; i < count && !r.failed(); ++i) {
    const std::uint8_t family = r.u8();
    if (!r.failed() && family != 4 && family != 6) {
      return ParseError::kBadValue;
    }
    const auto address = IpAddress::from_bytes(r.take(family == 4 ? 4 : 16));
    const std::uint16_t port = r.u16();
    if (address && port != 0) {  // nobody listens on port 0
      link.addresses.push_back({*address, port});
    }
  }
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  return r.left() == 0 ? Result<PairingLink>(link) : ParseError::kBadLength;
}

std::string encode_code(const PairingCode& code) {
  const std::string symbols = code.locator + to_crockford(code.secret, kCodeSecretSize * 8 / 5);
  std::string text;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    if (i > 0 && i % 5 == 0) {
      text += '-';
    }
    text += symbols[i];
  }
  return text;
}

Result<PairingCode> decode_code(std::string_view text) {
  if (text.size() > 64) {
    return ParseError::kBadLength;
  }
  const auto values = from_crockford(text);
  if (!values) {
    return ParseError::kBadValue;
  }
  if (values->size() != kLocatorSymbols + kCodeSecretSize * 8 / 5) {
    return values->size() < kLocatorSymbols + kCodeSecretSize * 8 / 5 ? ParseError::kTruncated
                                                                      : ParseError::kBadLength;
  }
  // Five-bit values, most significant first, back to octets.
  Buffer packed((values->size() * 5 + 7) / 8);
  for (std::size_t bit = 0; bit < values->size() * 5; ++bit) {
    const unsigned value = (*values)[bit / 5];
    packed[bit / 8] =
        static_cast<std::uint8_t>(packed[bit / 8] | (value >> (4 - bit % 5) & 1U) << (7 - bit % 8));
  }
  PairingCode code;
  code.locator = to_crockford(packed, kLocatorSymbols);
  // The secret starts inside an octet: the locator's four symbols are 20 bits.
  for (std::size_t i = 0; i < code.secret.size(); ++i) {
    code.secret[i] = static_cast<std::uint8_t>(packed[i + 2] << 4 | packed[i + 3] >> 4);
  }
  return code;
}

Result<std::variant<PairingLink, PairingCode>> decode_invitation(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  const auto last = text.find_last_not_of(" \t\r\n");
  text = first == std::string_view::npos ? std::string_view{} : text.substr(first, last - first + 1);
  if (text.find(':') != std::string_view::npos) {
    const auto link = decode_link(text);
    return link ? Result<std::variant<PairingLink, PairingCode>>(*link) : link.error();
  }
  const auto code = decode_code(text);
  return code ? Result<std::variant<PairingLink, PairingCode>>(*code) : code.error();
}

}  // namespace hearthcast::signalling
