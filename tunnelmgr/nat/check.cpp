#include "tunnelmgr/nat/check.hpp"

#include "tunnelmgr/nat/candidate.hpp"

namespace hearthcast::nat {
namespace {

std::string reason_of(std::uint16_t code) {
  switch (code) {
    case 420:
      return "Unknown Attribute";
    case 487:
      return "Role Conflict";
    default:
      return "Bad Request";
  }
}

}  // namespace

Buffer build_check(const Check& check, const Crypto& crypto) {
  wire::StunMessage m;
  m.transaction = check.id;
  m.username = check.receiver.ufrag + ":" + std::string(check.sender_ufrag);
  m.priority = priority(CandidateType::kPeerReflexive, check.family);
  (check.controlling ? m.ice_controlling : m.ice_controlled) = check.tie_breaker;
  m.use_candidate = check.nominating;
  return wire::encode_stun(m, crypto, as_bytes(check.receiver.password));
}

Buffer build_answer(const wire::TransactionId& id, const Endpoint& mapped, std::string_view password,
                    const Crypto& crypto) {
  wire::StunMessage m;
  m.message_class = wire::StunClass::kSuccess;
  m.transaction = id;
  m.xor_mapped_address = mapped;
  return wire::encode_stun(m, crypto, as_bytes(password));
}

Buffer build_refusal(const wire::StunMessage& request, std::uint16_t code, std::string_view password,
                     const Crypto& crypto) {
  wire::StunMessage m;
  m.message_class = wire::StunClass::kError;
  m.transaction = request.transaction;
  m.error = wire::StunError{code, reason_of(code)};
  if (code == 420) {
    m.unknown_attributes = request.not_understood;
  }
  return wire::encode_stun(m, crypto, as_bytes(password));
}

}  // namespace hearthcast::nat
