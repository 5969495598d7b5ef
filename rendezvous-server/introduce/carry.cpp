// The part of the service that carries messages between devices and boxes.
#include "rendezvous-server/introduce/service.hpp"

namespace hearthcast::rendezvous {

using signalling::ErrorCode;

std::vector<Endpoint> Service::observed(const Session& session) {
  return session.mapping ? std::vector{*session.mapping} : std::vector<Endpoint>{};
}

void Service::handle(Session& session, signalling::Allow&& message, Time now, Actions& out) {
  const AllowRecord record{session.identity, session.public_key, std::move(message)};
  const bool enrolled = directory_.find(session.identity) != nullptr;
  if (!enrolled && (directory_.boxes().size() >= policy_.max_boxes ||
                    !new_boxes_.take(source_prefix(session.control.address), now))) {
    ++counters_.limited;
    refuse(session.id, std::nullopt, ErrorCode::kRate,
           "this rendezvous takes no more new boxes from this address now; it tries again by itself", out);
    return;
  }
  switch (allow_lists_.update(crypto_, record)) {
    case AllowLists::Verdict::kAccepted:
      if (!enrolled) {
        ++counters_.enrolled;
        out.push_back(StoreChange{directory_.enrol(session.identity, policy_.unix_time())});
      }
      out.push_back(StoreAllow{record});
      break;
    case AllowLists::Verdict::kUnchanged:
      break;
    case AllowLists::Verdict::kOld:
      ++counters_.refused;
      send(session.id,
           signalling::Error{.id = std::nullopt,
                             .code = ErrorCode::kBadMessage,
                             .text = "the list of devices is older than the known one",
                             .revision = allow_lists_.revision_of(session.identity)},
           out);
      break;
    case AllowLists::Verdict::kBadSignature:
      ++counters_.bad_messages;
      drop(session.id, ErrorCode::kBadSignature, "the signature of the list of devices is wrong", out);
      break;
  }
}

void Service::handle(Session& session, signalling::PairingWindow&& message, Time now, Actions& out) {
  if (message.seconds == 0) {
    registry_.close_window(session);
  } else if (!registry_.open_window(session, message.locator, now + std::chrono::seconds{message.seconds},
                                    now)) {
    refuse(session.id, std::nullopt, ErrorCode::kNoPairing,
           "this locator is taken; open the window with another", out);
  }
}

void Service::handle(Session& session, signalling::Moved&& message, Time now, Actions& out) {
  if (message.box != session.identity) {
    ++counters_.bad_messages;
    drop(session.id, ErrorCode::kBadMessage, "a box speaks of itself only", out);
    return;
  }
  tell_devices(session, message.endpoints, now, out);
}

// They are viewers whose picture has just stopped, or wait for the box: to them it is worth more than to ask.
void Service::tell_devices(const Session& box, const std::vector<Endpoint>& endpoints, Time now,
                           Actions& out) {
  const BoxRecord* const record = directory_.find(box.identity);
  if (record != nullptr && record->closed) {
    return;
  }
  if (!moves_.take(box.identity, now)) {
    ++counters_.limited;
    return;
  }
  for (const IdentityId& id : allow_lists_.devices_of(box.identity)) {
    if (const Session* const device = registry_.find_device(id)) {
      ++counters_.moves;
      send(device->id, signalling::Moved{box.identity, endpoints}, out);
    }
  }
}

void Service::handle(Session& session, signalling::IntroduceRequest&& message, Time now, Actions& out) {
  // "Not allowed" before "not present": a stranger learns nothing about a box.
  if (!allow_lists_.allows(message.box, session.identity)) {
    ++counters_.refused;
    refuse(session.id, message.id, ErrorCode::kNotAllowed, "this box does not list this device", out);
    return;
  }
  const BoxRecord* const record = directory_.find(message.box);
  if (record != nullptr && record->closed) {
    ++counters_.refused;
    refuse(session.id, message.id, ErrorCode::kClosed,
           "the operator of this rendezvous has closed the box: " + *record->closed, out);
    return;
  }
  const Session* const box = registry_.find_box(message.box);
  if (box == nullptr) {
    knock(session, message, now, out);
    return;
  }
  if (!introductions_.take(session.identity, now) || !box_load_.take(box->identity, now)) {
    ++counters_.limited;
    refuse(session.id, message.id, ErrorCode::kRate, "too many introductions; wait a minute", out);
    return;
  }
  ++counters_.introductions;
  const std::uint64_t id = next_request_++;
  requests_[id] = {box->id, session.id, message.id, false, now + policy_.request_timeout};
  send(box->id,
       signalling::IntroduceOffer{id, session.identity, session.public_key, std::move(message.payload),
                                  std::move(message.signature), observed(session)},
       out);
}

// The box may be here by UDP alone. Then each end is told where the other was seen, and no more: what they
// would say to each other is too large for an address that only UDP vouches for.
void Service::knock(const Session& device, const signalling::IntroduceRequest& message, Time now,
                    Actions& out) {
  const Endpoint* const box = quiet_.mapping(message.box);
  if (box == nullptr || !device.mapping) {
    ++counters_.refused;
    refuse(device.id, message.id, ErrorCode::kNotPresent,
           box == nullptr ? "the box is not connected to this rendezvous"
                          : "the box is here by UDP alone, and this device is not",
           out);
    return;
  }
  if (!introductions_.take(device.identity, now) || !box_load_.take(message.box, now)) {
    ++counters_.limited;
    refuse(device.id, message.id, ErrorCode::kRate, "too many introductions; wait a minute", out);
    return;
  }
  ++counters_.knocks;
  send(device.id, signalling::Moved{message.box, {*box}}, out);
  std::vector<Endpoint> at{*device.mapping};
  at.insert(at.end(), message.relayed.begin(), message.relayed.end());
  out.emplace_back(quiet_.knock(message.box, device.identity, std::move(at), now));
  refuse(device.id, message.id, ErrorCode::kNotPresent,
         "the box is here by UDP alone: it was told where this device is", out);
}

void Service::handle(Session& session, signalling::PairRequest&& message, Time now, Actions& out) {
  if (!pairings_.take(source_prefix(session.control.address), now)) {
    ++counters_.limited;
    refuse(session.id, message.id, ErrorCode::kRate, "too many tries to pair; wait a minute", out);
    return;
  }
  const auto* by_id = std::get_if<IdentityId>(&message.to);
  const Session* box = by_id != nullptr ? registry_.find_box(*by_id)
                                        : registry_.find_by_locator(std::get<std::string>(message.to), now);
  if (box == nullptr || box->window_until <= now) {
    ++counters_.refused;
    refuse(session.id, message.id, ErrorCode::kNoPairing,
           "no box waits for a pairing under this link or code; make a new one on the box", out);
    return;
  }
  if (!box_load_.take(box->identity, now)) {
    ++counters_.limited;
    refuse(session.id, message.id, ErrorCode::kRate, "the box is asked too often; wait a minute", out);
    return;
  }
  ++counters_.pairings;
  const std::uint64_t id = next_request_++;
  requests_[id] = {box->id, session.id, message.id, true, now + policy_.request_timeout};
  send(box->id, signalling::PairOffer{id, session.identity, std::move(message.payload)}, out);
}

std::optional<Service::Request> Service::redeem(const Session& box, std::uint64_t id, bool pairing) {
  const auto at = requests_.find(id);
  if (at == requests_.end() || at->second.box != box.id || at->second.pairing != pairing) {
    return std::nullopt;  // too late, or of another box
  }
  const Request request = at->second;
  requests_.erase(at);
  if (registry_.find(request.device) == nullptr) {
    return std::nullopt;  // the device left
  }
  ++counters_.answers;
  return request;
}

void Service::handle(Session& session, signalling::IntroduceAnswer&& message, Actions& out) {
  if (const auto request = redeem(session, message.id, false)) {
    message.id = request->device_id;
    message.observed = observed(session);
    send(request->device, std::move(message), out);
  }
}

void Service::handle(Session& session, signalling::IntroduceRefusal&& message, Actions& out) {
  if (const auto request = redeem(session, message.id, false)) {
    message.id = request->device_id;
    send(request->device, std::move(message), out);
  }
}

void Service::handle(Session& session, signalling::PairAnswer&& message, Actions& out) {
  if (const auto request = redeem(session, message.id, true)) {
    message.id = request->device_id;
    send(request->device, std::move(message), out);
  }
}

}  // namespace hearthcast::rendezvous
