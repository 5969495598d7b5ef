#include "tunnelmgr/away/tun_output.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace hearthcast::away {
namespace {

constexpr auto kSilence = std::chrono::milliseconds{250};
constexpr std::size_t kMaxFlows = 256;  // remembered, wanted or not; more and all are forgotten
// A flow whose numbers lie behind the newest for so long began anew. Longer than any repair comes late.
constexpr auto kForgotten = std::chrono::seconds{2};

}  // namespace

void TunOutput::open(OpenTun message) {
  tun_.emplace(std::move(message.descriptor));
  segments_ = tun_->takes_segments();
  counters_.segments = segments_;
}

void TunOutput::listen(TunListens message) {
  std::vector<std::unique_ptr<Wanted>> wanted;
  for (auto& subscription : message.subscriptions) {
    const auto known = std::find_if(wanted_.begin(), wanted_.end(), [&](const auto& one) {
      return one && one->subscription == subscription;
    });
    wanted.push_back(known != wanted_.end() ? std::move(*known)
                                            : std::make_unique<Wanted>(Wanted{subscription}));
  }
  wanted_ = std::move(wanted);
  for (auto& [id, flow] : flows_) {
    if (!flow.fresh) {
      flow.batch.reset();  // 64 kB, for who may not come back
    }
  }
}

void TunOutput::on_new_session() {
  flush();
  flows_.clear();
}

TunOutput::Wanted* TunOutput::wanted_of(const wire::UdpPacketHeader& header) const {
  for (const auto& one : wanted_) {
    const auto& [source, group] = one->subscription;
    if (group == header.destination.address && (!source || *source == header.source.address)) {
      return one.get();
    }
  }
  return nullptr;
}

bool TunOutput::Flow::advance(std::uint32_t sequence, Time now) {
  const std::uint32_t ahead = newest ? sequence - *newest : 1;
  const bool before = ahead == 0 || ahead >= 0x80000000U;
  if (before && now - newest_at < kForgotten) {
    return false;
  }
  newest = sequence;
  newest_at = now;
  return true;
}

TunOutput::Flow& TunOutput::flow_of(FlowId id) {
  if (flows_.size() >= kMaxFlows && !flows_.contains(id)) {
    flush();
    flows_.clear();
  }
  return flows_[id];
}

bool TunOutput::on_media(const tunnel::MediaFrame& media, Time now, const Signal& signal) {
  if (!tun_) {
    return false;
  }
  Flow& flow = flow_of(media.flow);
  const bool newer = flow.advance(media.sequence, now);
  Wanted* const wanted = wanted_of(media.header);
  if (wanted == nullptr) {
    return false;
  }
  wanted->last_data = now;
  if (!std::exchange(wanted->present, true)) {
    signal(wanted->subscription, true);
  }
  if (!newer || media.header.hop_limit == 0) {
    ++counters_.held_back;
    return true;
  }
  if (!flow.batch) {
    flow.batch = std::make_unique<TunBatch>();
  }
  if (!flow.batch->add(media.header, media.payload)) {
    write(*flow.batch);
    if (!flow.batch->add(media.header, media.payload)) {
      ++counters_.held_back;  // larger than any datagram of a tunnel
      return true;
    }
  }
  if (!std::exchange(flow.fresh, true)) {
    fresh_.push_back(&flow);
  }
  return true;
}

void TunOutput::pass_over(FlowId flow, std::uint32_t last, Time now) {
  if (tun_) {
    static_cast<void>(flow_of(flow).advance(last, now));
  }
}

void TunOutput::flush() {
  for (Flow* flow : fresh_) {
    flow->fresh = false;
    write(*flow->batch);
  }
  fresh_.clear();
}

// Empties it, whatever becomes of the datagrams: a player that missed them would not want them later.
void TunOutput::write(TunBatch& batch) {
  const std::size_t count = batch.datagrams();
  if (count == 0) {
    return;
  }
  auto written = linux::TunWrite::kRefused;
  if (count == 1 || segments_) {
    const Bytes frame = batch.frame();
    counters_.writes += 1;
    written = tun_->write(frame);
    counters_.packets += written == linux::TunWrite::kDone ? count : 0;
    counters_.bytes += written == linux::TunWrite::kDone ? frame.size() : 0;
  }
  if (written == linux::TunWrite::kRefused && count > 1) {
    segments_ = counters_.segments = false;  // for good, whatever the probe said
    for (std::size_t number = 0; number < count; ++number) {
      const Bytes frame = batch.single(number);
      counters_.writes += 1;
      const bool done = tun_->write(frame) == linux::TunWrite::kDone;
      counters_.packets += done ? 1 : 0;
      counters_.bytes += done ? frame.size() : 0;
      counters_.dropped += done ? 0 : 1;
    }
  } else if (written != linux::TunWrite::kDone) {
    counters_.dropped += count;
  }
  batch.clear();
}

void TunOutput::on_tick(Time now, const Signal& signal) {
  for (const auto& one : wanted_) {
    if (one->present && now - one->last_data >= kSilence) {
      one->present = false;
      signal(one->subscription, false);
    }
  }
}

}  // namespace hearthcast::away
