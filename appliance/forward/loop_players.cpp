// The part of the loop that serves HTTP players at home.
#include <algorithm>
#include <string>
#include <utility>

#include "appliance/forward/loop.hpp"

namespace hearthcast::forward {

void Loop::keep(Flow& flow) {
  if (flow.audience() != nullptr) {
    return;
  }
  const auto gone = [this](PlayerId player, datapath::PlayerEnd end, std::uint64_t bytes) {
    players_.erase(player);
    mailbox_.say_surely(PlayerGone{player, end, bytes});
  };
  flow.set_audience(std::make_unique<FlowAudience>(datapath::Audience(epoll_, kPlayerToken, gone)));
}

// A flow that nobody needs at once does not wake the thread for each datagram.
void Loop::watch(Flow& flow) {
  const bool wanted = flow.prompt();
  if (wanted == flow.watched()) {
    return;
  }
  flow.set_watched(wanted);
  if (!wanted) {
    epoll_.remove(flow.socket().fd());
  } else if (!epoll_.add(flow.socket().fd(), kFirstToken + static_cast<std::uint64_t>(flow.id().value))) {
    log_.error("flow_watch", {{"flow", std::to_string(flow.id().value)}, {"error", "too many descriptors"}});
  }
}

void Loop::perform(AddPlayer message) {
  const auto player = message.player;
  const auto at = flows_.find(message.flow);
  if (at != flows_.end()) {
    keep(at->second);
    players_[player] = message.flow;
    if (at->second.audience()->add(player, std::move(message.socket), now_)) {
      watch(at->second);
      batch_at_ = std::min(batch_at_, now_ + FlowAudience::kBatch);
      return;
    }
    players_.erase(player);
  }
  mailbox_.say_surely(PlayerGone{player, datapath::PlayerEnd::kStreamClosed, 0});
}

void Loop::perform(const RemovePlayer& message) {
  if (const auto at = players_.find(message.player); at != players_.end()) {
    Flow& flow = flows_.at(at->second);
    flow.audience()->remove(message.player);
    watch(flow);
  }
}

void Loop::after_events() {
  std::erase_if(owing_, [this](FlowId id) {
    const auto flow = flows_.find(id);
    return flow == flows_.end() || !flow->second.send_again(forms_, sender_);
  });
  if (now_ >= batch_at_) {
    serve_players();
  }
}

void Loop::serve_players() {
  batch_at_ = kNever;
  for (auto& [id, flow] : flows_) {
    auto* audience = flow.audience();
    if (audience == nullptr || audience->empty()) {
      continue;
    }
    for (int n = 0; n < kReadsPerBatch && !flow.watched() && receive(flow); ++n) {
    }
    audience->write(now_);
    watch(flow);
    batch_at_ = now_ + FlowAudience::kBatch;
  }
}

}  // namespace hearthcast::forward
