#include "tunnelmgr/tunnel/encapsulation.hpp"

#include <cassert>

#include "tunnelmgr/tunnel/ayiya_encapsulation.hpp"
#include "tunnelmgr/tunnel/gre_encapsulation.hpp"
#include "tunnelmgr/wire/gue.hpp"
#include "tunnelmgr/wire/inner_ip.hpp"

namespace hearthcast::tunnel {
namespace {

class SixInFour final : public Encapsulation {
 public:
  [[nodiscard]] std::size_t header_size() const override { return 0; }
  [[nodiscard]] bool carries(Family inner) const override { return inner == Family::kIp6; }
  void seal(MutableBytes, const Moment&) override {}
  [[nodiscard]] Result<Opened, Drop> open(Bytes datagram, const Moment&) override {
    if (datagram.empty() || datagram[0] >> 4 != 6) {
      return Drop::kMalformed;
    }
    return open_inner(datagram);
  }
};

// Another form behind a header that names it.
class InGue final : public Encapsulation {
 public:
  InGue(std::uint8_t protocol, std::unique_ptr<Encapsulation> inside)
      : protocol_(protocol), inside_(std::move(inside)) {}

  [[nodiscard]] std::size_t header_size() const override {
    return wire::kGueHeaderSize + inside_->header_size();
  }
  [[nodiscard]] bool carries(Family inner) const override { return inside_->carries(inner); }
  void seal(MutableBytes slot, const Moment& moment) override {
    wire::write_gue_header(slot.first(wire::kGueHeaderSize), protocol_);
    inside_->seal(slot.subspan(wire::kGueHeaderSize), moment);
  }
  [[nodiscard]] Result<Opened, Drop> open(Bytes datagram, const Moment& moment) override {
    const auto packet = wire::decode_gue(datagram);
    if (!packet || packet->protocol != protocol_) {
      return Drop::kMalformed;
    }
    return inside_->open(packet->payload, moment);
  }

 private:
  std::uint8_t protocol_;
  std::unique_ptr<Encapsulation> inside_;
};

}  // namespace

const char* label(Drop drop) {
  switch (drop) {
    case Drop::kMalformed:
      return "malformed";
    case Drop::kKey:
      return "key";
    case Drop::kChecksum:
      return "checksum";
    case Drop::kSequence:
      return "sequence";
    case Drop::kSource:
      return "source";
    case Drop::kSignature:
      return "signature";
    case Drop::kTime:
      return "time";
    case Drop::kReplay:
      return "replay";
    case Drop::kInnerLength:
      return "inner_length";
    case Drop::kInnerSource:
      return "inner_source";
    case Drop::kNested:
      return "nested";
    case Drop::kUnwanted:
      break;
  }
  return "unwanted";
}

Result<Opened, Drop> open_inner(Bytes packet) {
  const auto inner = wire::check_inner_ip(packet);
  if (!inner) {
    const bool length = inner.error() == ParseError::kBadLength || inner.error() == ParseError::kTruncated;
    return length ? Drop::kInnerLength : Drop::kMalformed;
  }
  if (!wire::is_credible_inner_source(inner->source)) {
    return Drop::kInnerSource;
  }
  if (inner->is_nested()) {
    return Drop::kNested;
  }
  return Opened{Opened::Kind::kPacket, packet};
}

std::unique_ptr<Encapsulation> make_encapsulation(const EncapsulationSettings& settings,
                                                  wire::AyiyaHashes hashes) {
  std::unique_ptr<Encapsulation> made;
  std::uint8_t protocol = wire::kProtocolGre;
  switch (settings.form) {
    case Form::kGre:
      made = std::make_unique<GreEncapsulation>(settings.gre);
      break;
    case Form::kSixInFour:
      made = std::make_unique<SixInFour>();
      protocol = wire::kProtocolIp6;
      break;
    case Form::kAyiya:
      assert(settings.carrier == Carrier::kUdp);
      return std::make_unique<AyiyaEncapsulation>(settings.ayiya, hashes);
  }
  return settings.carrier == Carrier::kGue ? std::make_unique<InGue>(protocol, std::move(made))
                                           : std::move(made);
}

std::size_t overhead(const Encapsulation& encapsulation, Carrier carrier, Family outer) {
  return (outer == Family::kIp4 ? 20U : 40U) + (carrier == Carrier::kIp ? 0U : 8U) +
         encapsulation.header_size();
}

}  // namespace hearthcast::tunnel
