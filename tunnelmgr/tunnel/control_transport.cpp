#include "tunnelmgr/tunnel/control_transport.hpp"

#include <algorithm>
#include <cassert>

namespace hearthcast::tunnel {
namespace {

constexpr std::size_t kWindow = 32;
constexpr std::size_t kMaxIncoming = std::size_t{8} << 20;

}  // namespace

ControlActions ControlTransport::send(Bytes message, Time now) {
  assert(!message.empty() && message.size() <= kMaxMessageSize);
  ControlActions actions;
  if (lost_) {
    return actions;
  }
  const std::size_t count = (message.size() + kFragmentSize - 1) / kFragmentSize;
  outgoing_.push_back({next_outgoing_id_++, Buffer(message.begin(), message.end()), count});
  fill_window(actions, now);
  return actions;
}

Buffer ControlTransport::packet(const Outgoing& message, std::uint16_t index) const {
  const std::size_t at = std::size_t{index} * kFragmentSize;
  const std::size_t size = std::min(kFragmentSize, message.body.size() - at);
  return encode(Fragment{message.id, index, static_cast<std::uint16_t>(message.count),
                         Bytes(message.body).subspan(at, size)});
}

void ControlTransport::fill_window(ControlActions& actions, Time now) {
  for (auto& message : outgoing_) {
    while (message.next < message.count) {
      if (in_flight_.size() == kWindow) {
        return;
      }
      if (in_flight_.empty()) {
        last_progress_ = now;  // the wait for an acknowledgement starts here
      }
      const auto index = static_cast<std::uint16_t>(message.next++);
      in_flight_.push_back({message.id, index, now + timing_.retransmit, timing_.retransmit});
      actions.emplace_back(SendPacket{packet(message, index)});
    }
  }
}

ControlActions ControlTransport::on_packet(Bytes payload, Time now) {
  ControlActions actions;
  if (lost_) {
    return actions;
  }
  const auto decoded = decode_control_packet(payload);
  if (!decoded) {
    ++malformed_;
    return actions;
  }
  if (const auto* fragment = std::get_if<Fragment>(&*decoded)) {
    on_fragment(*fragment, actions);
  } else {
    on_acknowledgement(std::get<Acknowledgement>(*decoded), now);
    fill_window(actions, now);
  }
  return actions;
}

void ControlTransport::on_fragment(const Fragment& fragment, ControlActions& actions) {
  const Acknowledgement acknowledgement{fragment.message_id, fragment.index};
  // Ids are compared by distance so that they may wrap. Behind: delivered before, and our acknowledgement was
  // lost. Too far ahead, behind one that was lost again and again: not acknowledged, so it comes again.
  const std::uint32_t ahead = fragment.message_id - next_incoming_id_;
  if (ahead >= 0x80000000U) {
    actions.emplace_back(SendPacket{encode(acknowledgement)});
    return;
  }
  if (ahead >= kWindow) {
    return;
  }
  const auto known = incoming_.find(fragment.message_id);
  if (known != incoming_.end() && known->second.count != fragment.count) {
    ++malformed_;
    return;
  }
  const bool repeated = known != incoming_.end() && known->second.fragments.count(fragment.index) != 0;
  if (!repeated) {
    // The message that is due always finds room: what waits behind it would never go otherwise.
    if (ahead != 0 && incoming_size_ + fragment.body.size() > kMaxIncoming) {
      return;  // not acknowledged: it comes again
    }
    auto& message = incoming_[fragment.message_id];
    message.count = fragment.count;
    message.fragments.emplace(fragment.index, Buffer(fragment.body.begin(), fragment.body.end()));
    incoming_size_ += fragment.body.size();
  }
  actions.emplace_back(SendPacket{encode(acknowledgement)});
  for (auto next = incoming_.find(next_incoming_id_);
       next != incoming_.end() && next->second.fragments.size() == next->second.count;
       next = incoming_.find(next_incoming_id_)) {
    Buffer body;
    for (const auto& [index, part] : next->second.fragments) {
      body.insert(body.end(), part.begin(), part.end());
    }
    incoming_size_ -= body.size();
    incoming_.erase(next);
    ++next_incoming_id_;
    actions.emplace_back(MessageReceived{std::move(body)});
  }
}

void ControlTransport::on_acknowledgement(const Acknowledgement& acknowledgement, Time now) {
  const auto flying = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const InFlight& f) {
    return f.id == acknowledgement.message_id && f.index == acknowledgement.index;
  });
  if (flying == in_flight_.end()) {
    return;  // repeated, or of something never sent
  }
  in_flight_.erase(flying);
  last_progress_ = now;
  const auto message = std::find_if(outgoing_.begin(), outgoing_.end(),
                                    [&](const Outgoing& o) { return o.id == acknowledgement.message_id; });
  if (++message->acked == message->count) {
    outgoing_.erase(message);
  }
}

ControlActions ControlTransport::on_deadline(Time now) {
  ControlActions actions;
  if (lost_ || in_flight_.empty()) {
    return actions;
  }
  if (now >= last_progress_ + timing_.give_up) {
    lost_ = true;
    outgoing_.clear();
    in_flight_.clear();
    incoming_.clear();
    actions.emplace_back(SessionLost{});
    return actions;
  }
  for (auto& flying : in_flight_) {
    if (flying.due > now) {
      continue;
    }
    const auto message = std::find_if(outgoing_.begin(), outgoing_.end(),
                                      [&](const Outgoing& o) { return o.id == flying.id; });
    flying.wait = std::min(flying.wait * 2, timing_.retransmit_max);
    flying.due = now + flying.wait;
    ++retransmitted_;
    actions.emplace_back(SendPacket{packet(*message, flying.index)});
  }
  return actions;
}

void ControlTransport::on_path_back(Time now) {
  for (auto& flying : in_flight_) {
    flying.due = now;
    flying.wait = timing_.retransmit / 2;  // doubled when it goes out
  }
  last_progress_ = now;
}

Time ControlTransport::next_deadline() const {
  if (lost_ || in_flight_.empty()) {
    return kNever;
  }
  Time first = last_progress_ + timing_.give_up;
  for (const auto& flying : in_flight_) {
    first = std::min(first, flying.due);
  }
  return first;
}

}  // namespace hearthcast::tunnel
