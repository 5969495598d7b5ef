#include "tunnelmgr/tunnel/ayiya_encapsulation.hpp"

#include <algorithm>

#include "tunnelmgr/wire/inner_ip.hpp"

namespace hearthcast::tunnel {
namespace {

constexpr std::size_t kFixedSize = 8;
constexpr std::size_t kIdentitySize = 16;
constexpr std::size_t kNameSize = 8;  // of the hardened profile's identity

std::uint8_t next_header_of(Bytes ip_packet) {
  return !ip_packet.empty() && ip_packet[0] >> 4 == 4 ? wire::kProtocolIp4 : wire::kProtocolIp6;
}

bool is_named(const AyiyaSettings& settings, Bytes identity) {
  if (identity.size() != kIdentitySize || !settings.remote.is_ip6()) {
    return false;
  }
  return settings.hash == wire::AyiyaHash::kHmacSha256
             ? equal(identity.first(kNameSize), settings.remote.bytes().last(kNameSize))
             : equal(identity, settings.remote.bytes());
}

}  // namespace

AyiyaEncapsulation::AyiyaEncapsulation(const AyiyaSettings& settings, wire::AyiyaHashes hashes)
    : settings_(settings),
      signer_(settings.hash, settings.secret, hashes),
      // A stamp from the future is good for twice the window; a second for rounding.
      seen_(2 * settings.window + std::chrono::seconds{1}) {}

std::size_t AyiyaEncapsulation::header_size() const {
  return kFixedSize + kIdentitySize + signer_.signature_size();
}

bool AyiyaEncapsulation::is_remote(Bytes identity) const { return is_named(settings_, identity); }

AyiyaEncapsulation::Identity AyiyaEncapsulation::own_identity(const Moment& moment) {
  Identity identity;
  const Bytes address = settings_.local.bytes();
  if (!is_hardened()) {
    std::ranges::copy(address, identity.begin());
    return identity;
  }
  // Starts from the clock, so that it grows over a restart too.
  number_ = std::max(number_ + 1, std::uint64_t{moment.epoch} << 32);
  std::ranges::copy(address.last(kNameSize), identity.begin());
  for (std::size_t i = 0; i < 8; ++i) {
    identity[kNameSize + i] = static_cast<std::uint8_t>(number_ >> (56 - 8 * i));
  }
  return identity;
}

void AyiyaEncapsulation::write(MutableBytes slot, wire::AyiyaOpcode opcode, std::uint8_t next_header,
                               const Moment& moment) {
  static constexpr std::array<std::uint8_t, wire::kMaxAyiyaSignature> kRoom{};
  const Identity identity = own_identity(moment);
  const wire::AyiyaPacket header{.identity_type = wire::AyiyaIdentityType::kInteger,
                                 .hash = signer_.hash(),
                                 .authentication = wire::AyiyaAuthentication::kSharedSecret,
                                 .opcode = opcode,
                                 .next_header = next_header,
                                 .epoch = moment.epoch,
                                 .identity = identity,
                                 .signature = Bytes(kRoom).first(signer_.signature_size()),
                                 .payload = {}};
  wire::write_ayiya_header(slot.first(header_size()), header);
  signer_.sign(slot, kFixedSize + kIdentitySize);
}

void AyiyaEncapsulation::seal(MutableBytes slot, const Moment& moment) {
  write(slot, wire::AyiyaOpcode::kForward, next_header_of(slot.subspan(header_size())), moment);
}

std::optional<Buffer> AyiyaEncapsulation::signal(wire::AyiyaOpcode opcode, Bytes payload,
                                                 const Moment& moment) {
  Buffer out(header_size());
  out.insert(out.end(), payload.begin(), payload.end());
  write(out, opcode, wire::kNoNextHeader, moment);
  return out;
}

Result<Opened, Drop> AyiyaEncapsulation::open(Bytes datagram, const Moment& moment) {
  const auto packet = wire::decode_ayiya(datagram);
  if (!packet) {
    return Drop::kMalformed;
  }
  if (packet->identity_type != wire::AyiyaIdentityType::kInteger || !is_remote(packet->identity)) {
    return Drop::kSource;
  }
  if (packet->authentication != wire::AyiyaAuthentication::kSharedSecret || !signer_.verify(datagram)) {
    return Drop::kSignature;
  }
  const auto apart = static_cast<std::int32_t>(packet->epoch - moment.epoch);
  if (apart > settings_.window.count() || apart < -settings_.window.count()) {
    return Drop::kTime;
  }
  if (!seen_.take(packet->signature, moment.now)) {
    return Drop::kReplay;
  }
  return open_payload(*packet);
}

Result<Opened, Drop> AyiyaEncapsulation::open_payload(const wire::AyiyaPacket& packet) const {
  switch (packet.opcode) {
    case wire::AyiyaOpcode::kNothing:
      return Opened{Opened::Kind::kAlive, {}};
    case wire::AyiyaOpcode::kEchoRequest:
      return Opened{Opened::Kind::kEchoRequest, packet.payload};
    case wire::AyiyaOpcode::kEchoResponse:
      return Opened{Opened::Kind::kEchoResponse, packet.payload};
    case wire::AyiyaOpcode::kForward:
    case wire::AyiyaOpcode::kEchoRequestAndForward:  // the echo of a whole packet is declined
      break;
    default:
      return Drop::kUnwanted;
  }
  if (packet.payload.empty() || packet.next_header != next_header_of(packet.payload)) {
    return Drop::kMalformed;
  }
  return open_inner(packet.payload);
}

bool names_ayiya_peer(const AyiyaSettings& settings, Bytes datagram) {
  const auto packet = wire::decode_ayiya(datagram);
  return packet && is_named(settings, packet->identity);
}

}  // namespace hearthcast::tunnel
