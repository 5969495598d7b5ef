#include "appliance/forward/formed_batch.hpp"

#include <algorithm>
#include <cassert>

#include "appliance/forward/wall_clock.hpp"
#include "tunnelmgr/tunnel/unnumbered_framing.hpp"

namespace hearthcast::forward {

using tunnel::MediaForm;

void FormedBatch::begin(std::span<const Bytes> full, bool tell) {
  assert(full.size() <= datapath::kMaxBatch);
  full_ = full;
  tell_ = tell;
  looked_ = false;
  chosen_count_ = 0;
  unnumbered_[0].made = unnumbered_[1].made = false;
  largest_ = 0;
  for (const Bytes& frame : full_) {
    largest_ = std::max(largest_, frame.size());
  }
}

MediaForm FormedBatch::form_of(std::size_t index, std::size_t limit) const {
  const auto& facts = datagrams_[index].facts;
  if (full_[index].size() <= limit || facts.payload > tunnel::kMaxCompactPayload) {
    return MediaForm::kFull;
  }
  return tunnel::form_for(facts.family, facts.payload, limit);
}

bool FormedBatch::tells(std::size_t index) const {
  return (tell_ && index == 0) || datagrams_[index].facts.sequence % kTellEvery == 0;
}

const tunnel::CompactPackets& FormedBatch::made(std::size_t index, MediaForm form) {
  const std::size_t which = form == MediaForm::kCompact ? 0 : 1;
  auto& packets = datagrams_[index].compact[which];
  if (packets.count == 0) {
    if (room_.empty()) {
      room_.resize(datapath::kMaxBatch * 2 * tunnel::kCompactRoom);
    }
    const auto room =
        MutableBytes(room_).subspan((index * 2 + which) * tunnel::kCompactRoom, tunnel::kCompactRoom);
    // Our own frame of a size that was looked at: it cannot fail.
    packets = tunnel::to_compact(full_[index], form, room).value();
  }
  return packets;
}

std::span<const Bytes> FormedBatch::unnumbered(tunnel::Form form, std::size_t limit) {
  if (full_.empty() || tunnel::unnumbered_size(form, largest_) > std::min(limit, datapath::kMaxInnerSize)) {
    return {};
  }
  const bool ayiya = form == tunnel::Form::kAyiya;
  auto& [packets, is_made] = unnumbered_[ayiya ? 1 : 0];
  if (!is_made) {
    is_made = true;
    if (ayiya) {
      ayiya_room_.resize(datapath::kMaxBatch * datapath::kMaxInnerSize);
    }
    const std::uint32_t epoch = ayiya ? wall_clock_seconds() : 0;
    for (std::size_t i = 0; i < full_.size(); ++i) {
      const auto room = MutableBytes(ayiya_room_).subspan(ayiya ? i * datapath::kMaxInnerSize : 0);
      packets[i] = tunnel::to_unnumbered(full_[i], form, epoch, room);
    }
  }
  return std::span(packets).first(full_.size());
}

std::span<const Bytes> FormedBatch::for_limit(std::size_t limit) {
  if (largest_ <= limit) {
    form_ = MediaForm::kFull;
    return full_;
  }
  if (chosen_count_ > 0 && chosen_limit_ == limit) {
    form_ = chosen_form_;
    return std::span(chosen_).first(chosen_count_);
  }
  if (!looked_) {
    looked_ = true;
    for (std::size_t i = 0; i < full_.size(); ++i) {
      datagrams_[i] = {tunnel::look_at_frame(full_[i]).value(), {}};
    }
  }
  chosen_count_ = 0;
  chosen_limit_ = limit;
  for (std::size_t i = 0; i < full_.size(); ++i) {
    form_ = form_of(i, limit);
    if (form_ == MediaForm::kFull) {
      chosen_[chosen_count_++] = full_[i];
      continue;
    }
    const auto& packets = made(i, tells(i) ? MediaForm::kFragments : form_);
    for (std::size_t n = 0; n < packets.count; ++n) {
      chosen_[chosen_count_++] = packets.packets[n];
    }
  }
  chosen_form_ = form_;
  return std::span(chosen_).first(chosen_count_);
}

}  // namespace hearthcast::forward
