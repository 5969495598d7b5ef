// A TURN relay in memory, by the words of RFC 8656 and with its own clockwork: allocations, permissions and
// channels end when nobody renews them, nonces grow stale. What it would refuse or drop, it counts.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"
#include "tunnelmgr/secure/openssl_old_hashes.hpp"
#include "tunnelmgr/wire/channel_data.hpp"
#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::nat {

class FakeRelay {
 public:
  struct Forwarded {
    Endpoint to;
    Buffer bytes;
  };

  // What came from the client; answers are appended to `to_client`.
  void take(Bytes datagram, Time now);
  // A datagram for the relayed address. False: dropped.
  bool from_peer(const Endpoint& peer, Bytes bytes, Time now);
  std::vector<Buffer> answers() { return std::exchange(to_client, {}); }

  // The next request of that method is refused with the code, once.
  void refuse(std::uint16_t method, std::uint16_t code) { refusals[method] = code; }

  std::string username = "1800000000:device";
  std::string password = "secret";
  std::string realm = "hearthcast.example";
  std::chrono::seconds nonce_lifetime{3600};
  std::vector<std::uint16_t> algorithms;  // empty: the old way
  std::optional<Endpoint> alternate;      // of a 300
  std::vector<IpAddress> forbidden;

  Endpoint relayed = *Endpoint::parse("203.0.113.10:50000");
  std::optional<Endpoint> relayed6;  // for who asks for both
  Endpoint mapped = *Endpoint::parse("192.0.2.2:40001");
  std::vector<Buffer> to_client;
  std::vector<Forwarded> to_peers;
  std::map<std::uint16_t, int> seen;  // requests by method that authenticated
  int dropped = 0;                    // datagrams to peers without permission or channel
  int keepalives = 0;
  bool both = false;  // the allocation's families
  bool allocated(Time now) const { return allocation_until > now; }
  Time allocation_until{};
  Duration buried{};  // how long what was given back is still there, as coturn has it

 private:
  struct Binding {
    Endpoint peer;
    Time until;
  };
  [[nodiscard]] std::string nonce(Time now) const;
  [[nodiscard]] Buffer key() const;
  void answer(const wire::StunMessage& request, wire::StunMessage reply);
  void error(const wire::StunMessage& request, std::uint16_t code, Time now);
  void request(const wire::StunMessage& message, Bytes datagram, Time now);
  void serve(const wire::StunMessage& message, Time now);

  secure::OpenSslCrypto crypto;
  secure::OpenSslOldHashes hashes;
  std::map<std::uint16_t, std::uint16_t> refusals;
  std::map<IpAddress, Time> permissions;
  std::map<std::uint16_t, Binding> channels;
};

inline std::string FakeRelay::nonce(Time now) const {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()) / nonce_lifetime;
  return (algorithms.empty() ? "nonce" : "obMatJos2gAAA") + std::to_string(age);
}

inline Buffer FakeRelay::key() const {
  const std::string text = username + ":" + realm + ":" + password;
  if (!algorithms.empty() && algorithms.front() == wire::kPasswordSha256) {
    const auto digest = crypto.sha256(as_bytes(text));
    return {digest.begin(), digest.end()};
  }
  const auto digest = hashes.md5(as_bytes(text));
  return {digest.begin(), digest.end()};
}

inline void FakeRelay::answer(const wire::StunMessage& request, wire::StunMessage reply) {
  reply.method = request.method;
  reply.transaction = request.transaction;
  reply.message_class = reply.error ? wire::StunClass::kError : wire::StunClass::kSuccess;
  const bool open = reply.error && (reply.error->code == 401 || reply.error->code == 438);
  to_client.push_back(open ? wire::encode_stun(reply)
                           : wire::encode_stun(reply, crypto, key(),
                                               algorithms.empty() ? wire::StunIntegrity::kSha1
                                                                  : wire::StunIntegrity::kSha256));
}

inline void FakeRelay::error(const wire::StunMessage& request, std::uint16_t code, Time now) {
  wire::StunMessage reply;
  reply.error = wire::StunError{code, "refused"};
  if (code == 401 || code == 438) {
    reply.realm = realm;
    reply.nonce = nonce(now);
    reply.password_algorithms = algorithms;
  } else if (code == 300) {
    reply.alternate_server = alternate;
  }
  answer(request, std::move(reply));
}

inline void FakeRelay::take(Bytes datagram, Time now) {
  if (const auto data = wire::decode_channel_data(datagram)) {
    const auto at = channels.find(data->channel);
    if (at == channels.end() || at->second.until <= now || permissions[at->second.peer.address] <= now) {
      ++dropped;
    } else {
      to_peers.push_back({at->second.peer, Buffer(data->payload.begin(), data->payload.end())});
    }
    return;
  }
  const auto message = wire::decode_stun(datagram);
  if (!message) {
    ++dropped;
  } else if (message->message_class == wire::StunClass::kIndication) {
    if (message->method == wire::kStunBinding) {
      ++keepalives;
    } else if (allocated(now) && permissions[message->xor_peer_addresses.at(0).address] > now) {
      to_peers.push_back({message->xor_peer_addresses.at(0), *message->data});
    } else {
      ++dropped;
    }
  } else {
    request(*message, datagram, now);
  }
}

inline void FakeRelay::request(const wire::StunMessage& message, Bytes datagram, Time now) {
  const bool sha256 = !algorithms.empty();
  const bool signed_by_somebody = sha256 ? message.has_integrity_sha256 : message.has_integrity;
  const auto right = [&] {
    return message.username == username && message.realm == realm &&
           message.password_algorithms == algorithms &&
           (sha256 ? wire::check_integrity_sha256(datagram, crypto, key())
                   : wire::check_integrity(datagram, crypto, key()));
  };
  if (signed_by_somebody && message.nonce != nonce(now)) {
    error(message, 438, now);
  } else if (!signed_by_somebody || !right()) {
    error(message, 401, now);
  } else if (const auto at = refusals.find(message.method); at != refusals.end()) {
    const auto code = at->second;
    refusals.erase(at);
    error(message, code, now);
  } else {
    ++seen[message.method];
    serve(message, now);
  }
}

inline void FakeRelay::serve(const wire::StunMessage& message, Time now) {
  wire::StunMessage reply;
  if (message.method == wire::kTurnAllocate) {
    if (allocated(now)) {
      error(message, 437, now);
      return;
    }
    allocation_until = now + std::chrono::seconds{600};
    reply.lifetime = 600;
    reply.xor_relayed_address = relayed;
    if (message.additional_family == wire::kTurnFamilyIp6) {
      reply.additional_relayed_address = relayed6;
    }
    both = reply.additional_relayed_address.has_value();
    reply.xor_mapped_address = mapped;
  } else if (!allocated(now)) {
    error(message, 437, now);
    return;
  } else if (message.method == wire::kTurnRefresh) {
    reply.lifetime = message.lifetime == 0U ? 0U : 600U;
    allocation_until = now + std::chrono::seconds{*reply.lifetime};
    if (*reply.lifetime == 0) {
      allocation_until = now + buried;
      permissions.clear();
      channels.clear();
    }
  } else {
    const Endpoint peer = message.xor_peer_addresses.at(0);
    if (std::find(forbidden.begin(), forbidden.end(), peer.address) != forbidden.end()) {
      error(message, 403, now);
      return;
    }
    if (peer.address.is_ip6() && !both) {
      error(message, 443, now);
      return;
    }
    permissions[peer.address] = now + std::chrono::seconds{300};
    if (message.method == wire::kTurnChannelBind) {
      channels[*message.channel_number] = {peer, now + std::chrono::seconds{600}};
    }
  }
  answer(message, std::move(reply));
}

inline bool FakeRelay::from_peer(const Endpoint& peer, Bytes bytes, Time now) {
  const auto permitted = permissions.find(peer.address);
  if (!allocated(now) || permitted == permissions.end() || permitted->second <= now) {
    return false;
  }
  for (const auto& [number, binding] : channels) {
    if (binding.peer == peer && binding.until > now) {
      to_client.push_back(wire::encode_channel_data(number, bytes));
      return true;
    }
  }
  wire::StunMessage indication;
  indication.message_class = wire::StunClass::kIndication;
  indication.method = wire::kTurnData;
  indication.xor_peer_addresses = {peer};
  indication.data = Buffer(bytes.begin(), bytes.end());
  to_client.push_back(wire::encode_stun(indication));
  return true;
}

}  // namespace hearthcast::nat
