// The client's transactions: requests, their repetition, and what the relay's answers mean.
#include <algorithm>
#include <utility>

#include "tunnelmgr/nat/turn_client.hpp"

namespace hearthcast::nat {
namespace {

constexpr std::uint16_t kTryAlternate = 300;
constexpr std::uint16_t kBadRequest = 400;
constexpr std::uint16_t kUnauthenticated = 401;
constexpr std::uint16_t kForbidden = 403;
constexpr std::uint16_t kAllocationMismatch = 437;
constexpr std::uint16_t kStaleNonce = 438;
constexpr std::uint16_t kWrongCredentials = 441;
constexpr std::uint16_t kQuotaReached = 486;
constexpr std::uint16_t kInsufficientCapacity = 508;
constexpr int kMaxChallenges = 3;  // of one request: a server that always asks again is broken
constexpr std::uint32_t kLeastLifetime = 30;

bool is_server(const Endpoint& endpoint) {
  const IpAddress& a = endpoint.address;
  return endpoint.port != 0 && !a.is_unspecified() && !a.is_multicast() && !a.is_loopback() &&
         !a.is_link_local();
}

}  // namespace

std::string describe_turn_error(std::uint16_t code) {
  switch (code) {
    case kUnauthenticated:
    case kWrongCredentials:
      return "the relay does not accept the credentials that the rendezvous gave";
    case kForbidden:
      return "the relay forbids that address";
    case kAllocationMismatch:
      return "the relay has forgotten the allocation, or still keeps one of a former run";
    case kQuotaReached:
      return "the relay's quota for this device is used up";
    case kInsufficientCapacity:
      return "the relay is full";
    default:
      return "the relay refuses with error " + std::to_string(code);
  }
}

void TurnClient::ask(Request request, Time now, TurnActions& out) {
  random_.fill(request.id);
  request.sealed = credentials_.challenged();
  request.bytes = credentials_.seal(message_of(request));
  request.tries = 0;
  transmit(request, now, out);
  requests_.push_back(std::move(request));
}

wire::StunMessage TurnClient::message_of(const Request& request) const {
  wire::StunMessage message;
  message.method = request.method;
  message.transaction = request.id;
  switch (request.method) {
    case wire::kTurnAllocate:
      message.requested_transport = wire::kTransportUdp;
      if (request.both) {
        message.additional_family = wire::kTurnFamilyIp6;  // who does not know it passes it over
      }
      break;
    case wire::kTurnRefresh:
      if (request.giving_back) {
        message.lifetime = 0;
      }
      break;
    case wire::kTurnCreatePermission:
      message.xor_peer_addresses = {Endpoint{request.address, 0}};
      break;
    case wire::kTurnChannelBind:
      message.channel_number = request.channel;
      message.xor_peer_addresses = {channels_.at(request.channel).peer};
      break;
    default:
      break;
  }
  return message;
}

void TurnClient::transmit(Request& request, Time now, TurnActions& out) {
  const bool last = ++request.tries == timing_.tries;
  const Duration wait = timing_.rto * (last ? timing_.last_wait : 1 << std::min(request.tries - 1, 5));
  request.next = now + (account_.reliable ? timing_.reliable_wait : wait);
  ++counters_.requests;
  sent_ = now;
  out.push_back(TurnSend{request.bytes});
}

void TurnClient::on_timeout(const Request& request, Time now, TurnActions& out) {
  if (request.method == wire::kTurnAllocate || request.method == wire::kTurnRefresh) {
    lose("the relay " + account_.server.to_string() + " does not answer", {}, now, out);
    return;
  }
  on_refusal(request, 0, now, out);  // the refresh will show whether the relay is there
}

void TurnClient::on_success(const Request& request, const wire::StunMessage& answer, Time now,
                            TurnActions& out) {
  const Duration lifetime = std::chrono::seconds(std::max(answer.lifetime.value_or(600), kLeastLifetime));
  const Time refresh_at = now + std::max<Duration>(lifetime - timing_.refresh_ahead, lifetime / 2);
  switch (request.method) {
    case wire::kTurnAllocate:
      if (!answer.xor_relayed_address || !answer.xor_mapped_address) {
        lose("the relay's answer makes no sense", timing_.refused_wait, now, out);
        return;
      }
      state_ = State::kAllocated;
      failures_ = 0;
      last_error_.clear();
      refresh_at_ = refresh_at;
      allocation_ = TurnAllocated{*answer.xor_relayed_address, *answer.xor_mapped_address};
      if (answer.additional_relayed_address && answer.additional_relayed_address->address.is_ip6()) {
        allocation_->relayed6 = answer.additional_relayed_address;
      }
      out.push_back(*allocation_);
      renew(now, out);
      break;
    case wire::kTurnRefresh:
      if (request.giving_back) {
        ask({.method = wire::kTurnAllocate, .both = true}, now, out);
      } else {
        refresh_at_ = refresh_at;
      }
      break;
    case wire::kTurnCreatePermission:
      if (const auto at = permissions_.find(request.address); at != permissions_.end()) {
        at->second.renew_at = now + timing_.permission_renewal;
      }
      break;
    case wire::kTurnChannelBind:
      if (const auto at = channels_.find(request.channel); at != channels_.end()) {
        at->second.bound = true;
        at->second.renew_at = now + timing_.channel_renewal;
      }
      break;
    default:
      break;
  }
}

void TurnClient::on_error(const Request& request, const wire::StunMessage& answer, Time now,
                          TurnActions& out) {
  const std::uint16_t code = answer.error->code;
  const bool challenge = code == kStaleNonce || (code == kUnauthenticated && !request.sealed);
  if (challenge) {
    counters_.stale_nonces += code == kStaleNonce ? 1 : 0;
    if (request.challenges < kMaxChallenges && credentials_.on_challenge(answer) &&
        (request.method != wire::kTurnChannelBind || channels_.contains(request.channel))) {
      Request again = request;
      ++again.challenges;
      ask(std::move(again), now, out);
      return;
    }
  }
  if (code == kTryAlternate && request.method == wire::kTurnAllocate && redirect(answer, now, out)) {
    return;
  }
  if (request.method == wire::kTurnAllocate && code == kAllocationMismatch &&
      !std::exchange(gave_back_, true)) {
    // A run of this program that ended without a word had this port, too.
    ask({.method = wire::kTurnRefresh, .giving_back = true}, now, out);
    return;
  }
  if (request.both && code == kBadRequest) {  // of a server that takes the wish amiss
    ask({.method = wire::kTurnAllocate}, now, out);
    return;
  }
  on_refusal(request, code, now, out);
}

bool TurnClient::redirect(const wire::StunMessage& answer, Time now, TurnActions& out) {
  const auto& to = answer.alternate_server;
  if (!to || redirects_ >= kMaxRedirects || *to == account_.server || !is_server(*to) ||
      to->address.family() != account_.server.address.family()) {
    return false;
  }
  ++redirects_;
  account_.server = *to;
  credentials_.forget_challenge();
  out.push_back(TurnRedirected{});
  allocate(now, out);
  return true;
}

// code 0: it did not answer.
void TurnClient::on_refusal(const Request& request, std::uint16_t code, Time now, TurnActions& out) {
  const bool final_word = code == kForbidden;
  switch (request.method) {
    case wire::kTurnCreatePermission:
      if (const auto at = permissions_.find(request.address); at != permissions_.end()) {
        at->second.refused = final_word;
        at->second.renew_at = final_word ? kNever : now + timing_.refused_wait;
      }
      break;
    case wire::kTurnChannelBind:
      if (const auto at = channels_.find(request.channel); at != channels_.end()) {
        at->second.bound = false;
        at->second.renew_at = final_word ? kNever : now + timing_.refused_wait;
      }
      break;
    case wire::kTurnRefresh:
      if (request.giving_back) {  // whatever it says: what is not there is given back
        ask({.method = wire::kTurnAllocate, .both = true}, now, out);
        return;
      }
      lose(describe_turn_error(code), {}, now, out);
      return;
    default:
      // coturn keeps what was given back for a second.
      lose(describe_turn_error(code), code == kAllocationMismatch ? Duration{} : timing_.refused_wait, now,
           out);
      return;
  }
  counters_.refused_peers += 1;
  if (code != 0) {
    last_error_ = describe_turn_error(code);
  }
  if (code == kAllocationMismatch) {
    lose(describe_turn_error(code), {}, now, out);
  }
}

}  // namespace hearthcast::nat
