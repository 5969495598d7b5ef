// TunnelService's dealings with the rendezvous: presence, introductions, pairings.
#include <algorithm>
#include <iterator>
#include <utility>

#include "appliance/app/tunnel_state.hpp"
#include "appliance/store/generation.hpp"

namespace hearthcast::app {
namespace {

constexpr std::uint64_t kCounterBlock = 10'000;

}  // namespace

void TunnelService::State::start_rendezvous() {
  if (!settings.rendezvous) {
    return;
  }
  auto made = http::SignallingLink::make(
      needs.io, needs.log, signalling::Role::kBox, needs.identity, needs.random, *settings.rendezvous,
      [this](signalling::ClientAction event) { on_event(std::move(event)); });
  if (!made) {
    needs.log.error("rendezvous_unusable", {{"error", made.error().text}});
    return;
  }
  link = std::move(*made);
  link->set_enrolment(settings.rendezvous_token);
  tell_rendezvous(snapshot);
  link->start();
}

void TunnelService::State::tell_rendezvous(const household::Snapshot& now) {
  if (!link) {
    return;
  }
  // A revoked device may ask, too: it is told that it is revoked, by the box and signed.
  std::vector<IdentityId> devices;
  for (const auto& [id, device] : now.access->devices().devices()) {
    devices.push_back(device.identity);
  }
  std::ranges::sort(devices);
  if (devices != allowed || tell_again) {
    if (const auto revision = introducer.next_revision()) {
      allowed = devices;
      tell_again = false;
      link->set_allowed(std::move(devices), *revision);
    }
    refill_counters();
  }
  if (now.pairing != registered) {
    registered = now.pairing;
    if (registered) {
      link->open_pairing(registered->locator, registered->closes);
    } else {
      link->close_pairing();
    }
  }
}

void TunnelService::State::on_event(signalling::ClientAction event) {
  if (stopped) {
    return;
  }
  // When the rendezvous is lost presence goes on: unanswered or not, its packets keep the NAT's mapping,
  // which devices remember.
  if (const auto* joined = std::get_if<signalling::Joined>(&event)) {
    const Endpoint server{link->server().address, joined->presence.port};
    needs.log.debug("presence_started", {{"server", server.to_string()}});
    sessions->start_presence({.server = server,
                              .username = joined->presence.username,
                              .password = joined->presence.password,
                              .interval = std::chrono::seconds{joined->presence.interval_s}},
                             Clock::now());
    list_refused = false;  // it was said again
    sessions->on_rendezvous(true, Clock::now());
    told_moved.clear();
    tell_moved();
    arm();
  } else if (std::holds_alternative<signalling::Left>(event)) {
    sessions->on_rendezvous(false, Clock::now());
    arm();
  } else if (const auto* mapping = std::get_if<signalling::MappingSeen>(&event)) {
    seen = mapping->endpoint;
    on_reach();
  } else if (const auto* relays = std::get_if<signalling::RelaysOffered>(&event)) {
    on_relays(relays->access);
  } else if (const auto* asked = std::get_if<signalling::IntroductionAsked>(&event)) {
    on_introduction(asked->offer);
  } else if (const auto* old = std::get_if<signalling::ListOutdated>(&event)) {
    on_list_outdated(old->revision);
  } else if (const auto* pairing = std::get_if<signalling::PairingAsked>(&event)) {
    on_pairing(pairing->offer);
  }
}

void TunnelService::State::tell_moved() {
  if (!link || link->state() != signalling::Client::State::kJoined ||
      settings.relay == signalling::RelayPolicy::kAlways) {
    return;
  }
  std::vector<Endpoint> outside;
  for (const nat::Candidate& candidate : own_candidates()) {
    if (!candidate.endpoint.address.is_private()) {
      outside.push_back(candidate.endpoint);
    }
  }
  if (outside != told_moved) {
    link->tell_moved(outside);
    told_moved = std::move(outside);
  }
}

void TunnelService::State::on_introduction(const signalling::IntroduceOffer& offer) {
  auto own = relay.candidates();
  std::ranges::copy(own_candidates(), std::back_inserter(own));
  const auto verdict = introducer.on_asked(offer, *snapshot.access, own);
  refill_counters();
  if (!verdict.reason.empty() && (!verdict.doubtful || doubts.add(verdict.reason, Clock::now()))) {
    needs.log.warning("introduction_refused",
                      {{"device", offer.device.to_string().substr(0, 8)}, {"error", verdict.reason}});
  }
  const auto* device = snapshot.access->devices().find(offer.device);
  if (!verdict.accepted || device == nullptr) {
    settle(verdict, offer);
    return;
  }
  // First the disk, then the answer: a replay after a power cut finds the counter used.
  store::Contact& contact = contacts[device->id];
  contact.generation = verdict.accepted->generation;
  contact.counter = verdict.accepted->counter;
  needs.worker.run(
      [household = &needs.household, id = device->id, contact] { household->remember_contact(id, contact); },
      [weak = weak_from_this(), verdict, offer] {
        if (const auto self = weak.lock(); self && !self->stopped) {
          self->settle(verdict, offer);
        }
      });
}

void TunnelService::State::settle(const Introducer::Verdict& verdict,
                                  const signalling::IntroduceOffer& offer) {
  if (verdict.reply && verdict.refused) {
    link->refuse_introduction(offer.id, *verdict.reply);
  } else if (verdict.reply) {
    needs.log.info("introduced", {{"device", offer.device.to_string().substr(0, 8)},
                                  {"candidates", std::to_string(verdict.candidates.size())}});
    const Time now = Clock::now();
    perform(relay.on_introduced(offer.device, verdict.candidates, now), now);
    link->answer_introduction(offer.id, *verdict.reply);
    sessions->on_candidates(offer.device, verdict.candidates, now, relay.beyond(verdict.candidates, now));
    arm();
  }
}

void TunnelService::State::on_pairing(const signalling::PairOffer& offer) {
  const Time now = Clock::now();
  needs.worker.submit(
      [household = &needs.household, payload = offer.payload, now] { return household->pair(payload, now); },
      [weak = weak_from_this(), id = offer.id](household::Result<std::string> answer) {
        const auto self = weak.lock();
        if (!self || self->stopped) {
          return;
        }
        if (!answer) {
          self->needs.log.warning("pairing_failed", {{"error", answer.error().text}});
        }
        self->link->answer_pairing(
            id, answer ? *answer
                       : signalling::encode(signalling::PairingRefusal{
                             signalling::PairingRefusalCode::kNoWindow, answer.error().text}));
      });
}

// This box was set back: by a copy of its disk, or because it lived on another machine meanwhile. Who was
// paired since would not be introduced.
void TunnelService::State::on_list_outdated(std::uint64_t revision) {
  const auto generation =
      introducer.generation_beyond(revision, store::generation_at(std::chrono::system_clock::now()));
  if (!generation) {
    if (!std::exchange(list_refused, true)) {
      needs.log.warning("list_refused",
                        {{"error", "the rendezvous keeps a list of devices that this box cannot have made"}});
    }
  } else if (*generation != introducer.generation() && !tell_again) {  // else it speaks of a list before that
    needs.log.info("list_outdated", {{"generation", std::to_string(*generation)}});
    tell_again = true;
    reserve_counters(*generation);
  }
}

void TunnelService::State::refill_counters() {
  if (introducer.wants_counters() && !refilling) {
    reserve_counters();
  }
}

void TunnelService::State::reserve_counters(std::uint64_t generation) {
  refilling = true;
  needs.worker.submit(
      [household = &needs.household, generation] {
        return household->reserve_counters(kCounterBlock, generation);
      },
      [weak = weak_from_this()](sqlite::Result<store::CounterBlock> block) {
        const auto self = weak.lock();
        if (!self || self->stopped) {
          return;
        }
        self->refilling = false;
        if (block) {
          self->introducer.set_counters({block->generation, block->first, block->first + kCounterBlock});
          self->tell_rendezvous(self->snapshot);  // a list may have waited for a number
        } else {
          self->needs.log.error("counters_not_reserved", {{"error", block.error().text}});
        }
      });
}

api::RendezvousLive TunnelService::State::rendezvous_live() const {
  api::RendezvousLive live;
  if (!settings.rendezvous) {
    return live;
  }
  live.url = settings.rendezvous->url;
  if (!link) {
    live.state = api::RendezvousLive::State::kFailed;
    live.text = "The rendezvous' address in the settings cannot be used; the log says why.";
  } else if (link->state() == signalling::Client::State::kJoined) {
    live.state = api::RendezvousLive::State::kConnected;
    live.text = "Connected. It introduces devices to the box, and can do nothing else.";
    if (list_refused) {
      live.text +=
          " It keeps a list of devices that this box cannot have made, and introduces none that was paired "
          "since.";
    }
    if (const std::string doubt = doubts.text(); !doubt.empty()) {
      live.text += " " + doubt;
    }
  } else if (link->refused() == signalling::ErrorCode::kNotEnrolled ||
             link->refused() == signalling::ErrorCode::kClosed) {
    live.state = api::RendezvousLive::State::kFailed;
    live.text = "Refused: " + link->last_error() + (link->last_error().ends_with('.') ? "" : ".") +
                " The box asks again every five minutes; devices that know it still find it.";
  } else if (link->last_error().empty()) {
    live.state = api::RendezvousLive::State::kConnecting;
    live.text = "Connecting.";
  } else {
    live.state = api::RendezvousLive::State::kFailed;
    live.text = "Not connected: " + link->last_error() + (link->last_error().ends_with('.') ? "" : ".") +
                " The box tries again by itself; devices that know it still find it.";
  }
  if (settings.relay == signalling::RelayPolicy::kNever) {
    live.text += " No stream may go through a relay (network.relay).";
  } else if (settings.relay == signalling::RelayPolicy::kAlways) {
    live.text += " Streams leave the home through relays only (network.relay).";
  }
  return live;
}

}  // namespace hearthcast::app
