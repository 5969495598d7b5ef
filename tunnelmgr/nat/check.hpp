// The three STUN messages of a connectivity check as RFC 8445 section 7 wants them: request, answer, refusal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/nat/credentials.hpp"
#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::nat {

struct Check {
  wire::TransactionId id{};
  const Credentials& receiver;  // of the end that gets it: its ufrag goes first, its password seals
  std::string_view sender_ufrag;
  Family family =
      Family::kIp4;  // of the path: PRIORITY is that of the peer-reflexive candidate it might reveal
  bool controlling = false;
  std::uint64_t tie_breaker = 0;
  bool nominating = false;
};

[[nodiscard]] Buffer build_check(const Check& check, const Crypto& crypto);

// `password` is that of the end which answers: request and answer are sealed alike.
[[nodiscard]] Buffer build_answer(const wire::TransactionId& id, const Endpoint& mapped,
                                  std::string_view password, const Crypto& crypto);
[[nodiscard]] Buffer build_refusal(const wire::StunMessage& request, std::uint16_t code,
                                   std::string_view password, const Crypto& crypto);

}  // namespace hearthcast::nat
