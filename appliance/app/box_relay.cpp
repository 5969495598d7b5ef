#include "appliance/app/box_relay.hpp"

#include <functional>
#include <utility>

namespace hearthcast::app {

using nat::RelayActions;

RelayActions BoxRelay::begin(Time now) {
  return policy_ == signalling::RelayPolicy::kNever ? RelayActions{} : held_.begin(now);
}

RelayActions BoxRelay::on_account(nat::RelayAccount account, Duration lifetime, Time now) {
  auto out = held_.on_account(std::move(account), lifetime, now);
  return blocked_ && !held_.busy() ? begin(now) : out;
}

RelayActions BoxRelay::on_udp(bool passes, Time now) {
  blocked_ = !passes;
  held_.on_udp(passes);
  held_.set_wanted(blocked_);
  if (blocked_) {
    end_at_ = kNever;
    return held_.busy() ? RelayActions{} : begin(now);
  }
  if (end_at_ == kNever && held_.busy()) {
    end_at_ = now + kSettled;
  }
  return {};
}

RelayActions BoxRelay::on_network_change(Time now) {
  return blocked_ && held_.busy() ? begin(now) : RelayActions{};
}

RelayActions BoxRelay::on_introduced(const IdentityId& device, const std::vector<nat::Candidate>& candidates,
                                     Time now) {
  std::erase_if(guests_, [&](const Guest& guest) { return guest.device == device; });
  auto at = nat::acceptable(candidates);
  std::ranges::stable_sort(at, std::ranges::greater(), &nat::Candidate::type);  // its own network last
  at.resize(std::min(at.size(), kMaxGuestAddresses));
  Guest& guest = guests_.emplace_front(Guest{device, {}});
  for (const nat::Candidate& candidate : at) {
    guest.addresses.push_back(candidate.endpoint);
  }
  if (guests_.size() > nat::TurnClient::kMaxPermissions) {
    guests_.pop_back();
  }
  std::vector<Endpoint> all;
  for (const Guest& one : guests_) {
    all.insert(all.end(), one.addresses.begin(), one.addresses.end());
  }
  return held_.permit(all, now);
}

std::vector<nat::Candidate> BoxRelay::beyond(const std::vector<nat::Candidate>& candidates, Time now) {
  std::vector<nat::Candidate> found;
  for (const nat::Candidate& candidate : nat::acceptable(candidates)) {
    if (candidate.type != nat::CandidateType::kRelayed) {
      continue;  // a device that gets UDP out speaks to this box's relay by itself
    }
    if (const auto behind = held_.call(candidate.endpoint, now)) {
      found.push_back({nat::CandidateType::kRelayed, *behind});
    }
  }
  return found;
}

RelayActions BoxRelay::on_deadline(bool in_use, Time now) {
  if (end_at_ <= now) {
    if (!in_use) {
      return stop();
    }
    end_at_ = now + kSettled;
  }
  return held_.on_deadline(now);
}

RelayActions BoxRelay::stop() {
  end_at_ = kNever;
  return held_.stop();
}

std::vector<nat::Candidate> BoxRelay::candidates() const {
  std::vector<nat::Candidate> found;
  for (const auto& relayed : {held_.relayed(), held_.relayed6()}) {
    if (relayed && blocked_) {
      found.push_back({nat::CandidateType::kRelayed, *relayed});
    }
  }
  return found;
}

std::string BoxRelay::reason() const {
  return held_.by_stream() ? "the home network blocks UDP"
                           : "the rendezvous does not answer the box over UDP";
}

}  // namespace hearthcast::app
