// A rendezvous service with clients that have real keys, for its tests.
#pragma once

#include <gmock/gmock.h>

#include "rendezvous-server/introduce/service.hpp"
#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::rendezvous {

using namespace std::chrono_literals;
using signalling::Role;

struct Party {
  SessionId session;
  Role role;
  secure::OpenSslIdentity identity = secure::make_identity();
};

class ServiceTest : public testing::Test {
 protected:
  void SetUp() override { server_key.fill(9); }

  // Performs actions: texts to the inbox of each session, closings and records to their lists.
  void perform(Actions actions) {
    for (Action& action : actions) {
      if (auto* send = std::get_if<Send>(&action)) {
        const auto message = signalling::decode_message(send->text);
        ASSERT_TRUE(message) << send->text;
        inbox[send->to].push_back(*message);
      } else if (auto* datagram = std::get_if<SendDatagram>(&action)) {
        datagrams.push_back(std::move(*datagram));
      } else if (auto* close = std::get_if<Close>(&action)) {
        closed.push_back(close->session);
      } else if (auto* allow = std::get_if<StoreAllow>(&action)) {
        stored.push_back(allow->record);
      } else {
        changes.push_back(std::get<StoreChange>(action).change);
      }
    }
  }
  void say(const Party& party, const signalling::Message& message) {
    perform(service().on_text(party.session, signalling::encode(message), now));
  }
  // The last message of that kind that the party got, taken out of its inbox.
  template <class T>
  std::optional<T> heard(const Party& party) {
    auto& messages = inbox[party.session];
    for (auto at = messages.rbegin(); at != messages.rend(); ++at) {
      if (auto* message = std::get_if<T>(&*at)) {
        T found = std::move(*message);
        messages.erase(std::next(at).base());
        return found;
      }
    }
    return std::nullopt;
  }
  std::optional<signalling::ErrorCode> error_for(const Party& party) {
    const auto error = heard<signalling::Error>(party);
    return error ? std::optional(error->code) : std::nullopt;
  }
  signalling::Hello hello_of(const Party& party, const Sha256& key) {
    const auto challenge = heard<signalling::Challenge>(party);
    signalling::Hello hello;
    hello.role = party.role;
    hello.public_key.assign(party.identity.public_key().begin(), party.identity.public_key().end());
    hello.signature = party.identity.sign(
        signalling::hello_signature_input(challenge ? Bytes(challenge->nonce) : Bytes{}, key));
    return hello;
  }
  void open(Party& party, const char* from = "203.0.113.5:50000") {
    party.session = {++last_session};
    perform(service().on_open(party.session, *Endpoint::parse(from), now));
  }
  void join(Party& party, const char* from = "203.0.113.5:50000") {
    open(party, from);
    say(party, hello_of(party, server_key));
  }
  void allow(const Party& owner, std::vector<IdentityId> devices, std::uint64_t revision = 1) {
    signalling::Allow list{std::move(devices), revision, {}};
    list.signature = owner.identity.sign(signalling::allow_signature_input(list));
    say(owner, list);
  }
  Service& service() {
    if (!service_) {
      service_.emplace(crypto, random, server_key, "test", policy);
    }
    return *service_;
  }

  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  Sha256 server_key{};
  Policy policy;
  Time now = Time{} + 1h;
  Party box{{}, Role::kBox};
  Party device{{}, Role::kDevice};
  std::map<SessionId, std::vector<signalling::Message>> inbox;
  std::vector<SendDatagram> datagrams;
  std::vector<SessionId> closed;
  std::vector<AllowRecord> stored;
  std::vector<Change> changes;

 private:
  std::optional<Service> service_;
  std::uint64_t last_session = 0;
};

}  // namespace hearthcast::rendezvous
