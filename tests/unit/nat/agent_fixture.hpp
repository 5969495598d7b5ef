// An agent and the other end's messages, for its tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/nat/agent.hpp"
#include "tunnelmgr/nat/check.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::nat {

using namespace std::chrono_literals;
using testing::_;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::VariantWith;

class CountingRandom final : public Random {  // repeatable, and never the same transaction twice
 public:
  void fill(MutableBytes out) override {
    for (auto& octet : out) {
      octet = static_cast<std::uint8_t>(++count_ * 37 >> 3);
    }
  }

 private:
  unsigned count_ = 0;
};

struct AgentTest : testing::Test {
  Agent make(Role role) {
    return role == Role::kControlled ? Agent(role, pair.box, pair.device, crypto, random)
                                     : Agent(role, pair.device, pair.box, crypto, random);
  }
  // A check from the other end.
  Buffer check(Role sender, bool nominating = false) {
    const bool device = sender == Role::kControlling;
    return build_check({.id = {next_id++},
                        .receiver = device ? pair.box : pair.device,
                        .sender_ufrag = device ? pair.device.ufrag : pair.box.ufrag,
                        .controlling = device,
                        .tie_breaker = 5,
                        .nominating = nominating},
                       crypto);
  }
  // The other end's answer to the last check among the actions.
  Buffer answer(const Actions& actions, const Credentials& answerer) {
    return build_answer(last_check(actions).transaction, at, answerer.password, crypto);
  }
  static wire::StunMessage last_check(const Actions& actions) {
    wire::StunMessage found;
    for (const auto& action : actions) {
      if (const auto* d = std::get_if<SendDatagram>(&action)) {
        const auto message = wire::decode_stun(d->bytes);
        if (message && message->message_class == wire::StunClass::kRequest) {
          found = *message;
        }
      }
    }
    return found;
  }
  static std::vector<wire::StunMessage> sent(const Actions& actions) {
    std::vector<wire::StunMessage> all;
    for (const auto& action : actions) {
      if (const auto* d = std::get_if<SendDatagram>(&action)) {
        all.push_back(*wire::decode_stun(d->bytes));
      }
    }
    return all;
  }

  secure::OpenSslCrypto crypto;
  CountingRandom random;
  StandingCredentials pair = standing_credentials(crypto, as_bytes("secret"), {}, {});
  Endpoint at{IpAddress::ip4(0xc6336401), 4755};
  Endpoint elsewhere{IpAddress::ip4(0xc6336402), 4755};
  Time t0{1h};
  std::uint8_t next_id = 1;
};

}  // namespace hearthcast::nat
