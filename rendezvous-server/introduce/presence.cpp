#include "rendezvous-server/introduce/presence.hpp"

#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::rendezvous {

std::optional<PresenceAnswer> answer_presence(
    Bytes datagram, const Endpoint& from, const Crypto& crypto,
    const std::function<const std::string*(const std::string& username)>& password) {
  const auto request = wire::is_stun(datagram) ? wire::decode_stun(datagram) : ParseError::kBadValue;
  if (!request || request->message_class != wire::StunClass::kRequest ||
      request->method != wire::kStunBinding || !request->username || !request->has_integrity ||
      !request->has_fingerprint || !request->not_understood.empty()) {
    return std::nullopt;
  }
  const std::string* const secret = password(*request->username);
  if (secret == nullptr || !wire::check_integrity(datagram, crypto, as_bytes(*secret))) {
    return std::nullopt;
  }
  wire::StunMessage answer;
  answer.message_class = wire::StunClass::kSuccess;
  answer.transaction = request->transaction;
  answer.xor_mapped_address = from;
  PresenceAnswer out{*request->username, wire::encode_stun(answer, crypto, as_bytes(*secret))};
  if (out.datagram.size() > datagram.size()) {
    out.datagram.clear();
  }
  return out;
}

}  // namespace hearthcast::rendezvous
