#include "appliance/app/handshake.hpp"

#include <algorithm>

#include "tunnelmgr/secure/dtls_record.hpp"

namespace hearthcast::app {
namespace {

// Record header, handshake header, version: then 32 octets that differ in every new ClientHello (RFC 5246
// section 7.4.1.2) and stay in a repeated one.
constexpr std::size_t kRandomAt = secure::kDtlsRecordHeader + 12 + 2;

std::optional<std::array<std::uint8_t, 32>> client_random(Bytes datagram) {
  std::array<std::uint8_t, 32> random{};
  if (!secure::is_client_hello(datagram) || datagram.size() < kRandomAt + random.size()) {
    return std::nullopt;
  }
  std::ranges::copy(datagram.subspan(kRandomAt, random.size()), random.begin());
  return random;
}

}  // namespace

Handshake::Step Handshake::on_datagram(const Endpoint& from, Bytes datagram, Time now) {
  std::vector<Buffer> datagrams;
  if (const auto random = client_random(datagram); random && random != hello_) {
    if (!hellos_.take(now)) {
      return {.datagrams = {}, .established = nullptr, .failed = "", .foreign = false, .too_many = true};
    }
    session_ = std::make_unique<secure::DtlsSession>(context_, secure::DtlsRole::kServer, peer_);
    hello_ = random;
    datagrams = session_->start(now);
  }
  if (!session_) {
    return {.datagrams = {}, .established = nullptr, .failed = "", .foreign = true, .too_many = false};
  }
  endpoint_ = from;
  auto more = session_->on_datagram(datagram, now);
  datagrams.insert(datagrams.end(), std::make_move_iterator(more.begin()),
                   std::make_move_iterator(more.end()));
  return settle(std::move(datagrams));
}

Handshake::Step Handshake::on_deadline(Time now) {
  if (!session_ || session_->next_deadline() > now) {
    return {};
  }
  return settle(session_->on_deadline(now));
}

Handshake::Step Handshake::settle(std::vector<Buffer> datagrams) {
  Step step;
  step.datagrams = std::move(datagrams);
  switch (session_->state()) {
    case secure::DtlsState::kHandshaking:
      break;
    case secure::DtlsState::kEstablished:
      step.established = std::move(session_);
      break;
    case secure::DtlsState::kClosed:
    case secure::DtlsState::kFailed:
      step.failed = session_->reason();
      session_.reset();
      break;
  }
  return step;
}

}  // namespace hearthcast::app
