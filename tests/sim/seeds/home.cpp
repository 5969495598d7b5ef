#include "tests/sim/seeds/home.hpp"

#include <algorithm>
#include <utility>

#include "tests/sim/seeds/internet.hpp"

namespace hearthcast::sim {
namespace {

constexpr std::uint64_t kCounterBlock = 10'000;
constexpr Duration kReconnectPause = std::chrono::seconds{20};

}  // namespace

const FlowKey Home::kFlow{*IpAddress::parse("2001:db8::5"), *IpAddress::parse("ff3e::1234"), 5000};

Home::Home(World& world, Rendezvous& rendezvous, const secure::OpenSslIdentity& box, const Identity& laptop)
    : world_(world), rendezvous_(rendezvous), identity_(box), laptop_(laptop), random_(world) {
  make_box();
}

void Home::make_box() {
  box_ = std::make_unique<BoxActor>(world_, identity_, [this] {
    tunnel::Reach reach;
    for (const auto& candidate : own_candidates()) {
      reach.addresses.push_back({candidate.endpoint.address, "", candidate.endpoint.port});
    }
    return reach;
  });
  const ChannelId channel = box_->add_channel("News", kFlow);
  device_ = box_->pair(laptop_, "Laptop");
  box_->approve(device_, {channel});
  box_->on_mapped = [this](const auto& mapped) {
    if (mapped) {
      on_mapping(*mapped);
    }
  };
  introducer_.emplace(crypto_, random_, identity_);
  introducer_->set_counters({1, counters_, counters_ + kCounterBlock});
  counters_ += kCounterBlock;
  if (last_asked_) {
    introducer_->set_last(laptop_.id(), *last_asked_);
  }
}

void Home::start() {
  if (std::exchange(running_, true)) {
    return;
  }
  if (last_seen_) {
    on_told(*last_seen_);
    box_->sessions->lurk(device_, *last_seen_, world_.now());
  }
  rendezvous_.set_member(Side::kBox, this);
}

void Home::stop() {
  running_ = false;
  rendezvous_.set_member(Side::kBox, nullptr);
  if (!box_->remembered.empty()) {
    last_seen_ = box_->remembered.back().second;
  }
  world_.remove_host(*box_);
  last_mapped_.reset();
  told_moved_.clear();
  make_box();
}

void Home::on_network_change() {
  box_->sessions->on_network_change(world_.now());
  box_->sessions->on_reach(world_.now());
  tell_moved();
}

std::vector<nat::Candidate> Home::own_candidates() const {
  std::vector<nat::Candidate> own;
  for (const IpAddress& address : world_.addresses_of(*box_)) {
    const bool plain = address.is_ip6() || address.is_private();
    own.push_back({plain ? nat::CandidateType::kHost : nat::CandidateType::kServerReflexive,
                   {address, Internet::kBoxPort}});
  }
  if (const auto& mapped = box_->sessions->mapped();
      mapped && std::ranges::find(own, *mapped, &nat::Candidate::endpoint) == own.end()) {
    own.insert(own.begin(), {nat::CandidateType::kServerReflexive, *mapped});
  }
  return own;
}

void Home::on_mapping(const Endpoint& mapped) {
  const Time now = world_.now();
  const bool another = last_mapped_ && *last_mapped_ != mapped;
  last_mapped_ = mapped;
  if (another) {
    box_->sessions->check_paths(now);
    if (now - reconnected_ >= kReconnectPause) {
      reconnected_ = now;
      rendezvous_.break_connection(Side::kBox, {});
    }
  }
  box_->sessions->on_reach(now);
  tell_moved();
}

void Home::tell_moved() {
  std::vector<Endpoint> outside;
  for (const auto& candidate : own_candidates()) {
    if (!candidate.endpoint.address.is_private()) {
      outside.push_back(candidate.endpoint);
    }
  }
  if (rendezvous_.joined(Side::kBox) && outside != told_moved_) {
    rendezvous_.tell_moved(outside);
    told_moved_ = std::move(outside);
  }
}

void Home::on_joined(nat::PresenceAccount account) {
  box_->sessions->start_presence(std::move(account), world_.now());
  box_->sessions->on_rendezvous(true, world_.now());
  told_moved_.clear();
  tell_moved();
}

void Home::on_left() { box_->sessions->on_rendezvous(false, world_.now()); }

void Home::on_offer(const signalling::IntroduceOffer& offer) {
  const auto access = box_->access();
  const auto verdict = introducer_->on_asked(offer, *access, own_candidates());
  if (verdict.accepted) {
    last_asked_ = verdict.accepted;
  }
  if (!verdict.reply) {
    return;
  }
  rendezvous_.answer(offer.id, *verdict.reply);
  if (!verdict.refused) {
    for (const auto& candidate : nat::acceptable(verdict.candidates)) {
      on_told(candidate.endpoint);
    }
    box_->sessions->on_candidates(offer.device, verdict.candidates, world_.now());
  }
}

}  // namespace hearthcast::sim
