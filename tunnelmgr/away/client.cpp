#include "tunnelmgr/away/client.hpp"

#include <utility>

#include "tunnelmgr/linux/failure.hpp"

namespace hearthcast::away {

Client::Client(Parts parts, secure::DtlsContext dtls)
    : parts_(std::move(parts)),
      dtls_(std::move(dtls)),
      presence_(crypto_, random_),
      relay_finder_(parts_.io),
      relay_(crypto_, old_hashes_, random_),
      plane_(parts_.socket, parts_.log) {}

Result<std::unique_ptr<Client>, Failure> Client::start(Parts parts) {
  auto dtls = secure::DtlsContext::make(parts.identity);
  if (!dtls) {
    return dtls.error();
  }
  auto box = parts.state.load_box();
  if (!box) {
    return box.error();
  }
  std::unique_ptr<Client> client(new Client(std::move(parts), std::move(*dtls)));
  auto& log = client->parts_.log;
  client->box_ = std::move(*box);
  if (auto channels = client->parts_.state.load_channels(); !channels) {
    log.warning("channels_cache", {{"error", channels.error().text}});
  } else if (*channels && client->box_) {
    client->channels_revision_ = (*channels)->revision;
    client->perform(client->viewing_.on_channels((*channels)->channels));
  }
  auto* self = client.get();
  self->plane_.start();
  self->timer_.emplace(self->parts_.io, [self](Time now) { self->on_deadline(now); });
  self->plane_watch_.emplace(self->parts_.io, self->plane_.wake_fd(), [self] {
    const Time now = Clock::now();
    self->plane_.consume([self, now](Up message) { self->on_up(std::move(message), now); });
    self->arm();
  });
  if (auto monitor = linux::InterfaceMonitor::open()) {
    self->monitor_.emplace(std::move(*monitor));
    (void)self->other_networks_changed();  // from what is now
    self->monitor_watch_.emplace(self->parts_.io, self->monitor_->fd(), [self] {
      if (self->monitor_->changed() && self->other_networks_changed()) {
        self->on_network_change();
      }
    });
  } else {
    log.warning("interface_monitor", {{"error", monitor.error().text}});
  }
  self->plane_.consume([self](Up message) { self->on_up(std::move(message), Clock::now()); });
  self->start_tun();
  self->connect(Clock::now());
  return client;
}

Client::~Client() { stop(); }

void Client::stop() {
  *alive_ = false;
  if (signalling_) {
    signalling_->stop();
  }
  for (const auto& [id, responder] : std::exchange(requests_, {})) {
    responder.send(http::Response::text(503, "The client is stopping.\n"));
  }
  timer_.reset();
  names_.reset();
  lan_.reset();
  plane_watch_.reset();
  tun_watch_.reset();
  monitor_watch_.reset();
  plane_.stop();  // its goodbye may go through the relay
  perform(relay_.stop(), Clock::now());
}

Result<void, Failure> Client::adopt(BoxRecord box) {
  if (const auto saved = parts_.state.save(box); !saved) {
    return saved.error();
  }
  const bool another = !box_ || box_->public_key != box.public_key;
  box_ = std::move(box);
  if (another) {
    parts_.state.forget_channels();
    channels_revision_ = 0;
    parts_.memory.endpoints.clear();
    parts_.memory.candidates.clear();
    parts_.memory.told.clear();
    parts_.memory.box = {};
    remember();
    perform(viewing_.on_channels({}));
  }
  connect(Clock::now());
  return {};
}

// Towards box_, from the beginning.
void Client::connect(Time now) {
  if (link_) {
    link_->close();
  }
  link_.reset();
  relay_finder_.forget();
  perform(relay_.forget(), now);
  introducer_.reset();
  context_.reset();
  if (signalling_) {
    signalling_->stop();
    signalling_.reset();
  }
  presence_.stop();
  if (!box_) {
    update_reachability();
    arm();
    return;
  }
  const auto credentials = nat::credentials_at_device(crypto_, parts_.identity, box_->public_key);
  if (!credentials) {
    parts_.log.error("box_key", {{"error", "the stored key of the box is no P-256 key; pair again"}});
    box_.reset();
    update_reachability();
    return;
  }
  context_.emplace(LinkContext{dtls_, crypto_, random_, parts_.log,
                               IdentityId{crypto_.sha256(box_->public_key)}, *credentials});
  link_.emplace(*context_, static_cast<LinkHost&>(*this));
  introducer_.emplace(crypto_, random_, parts_.identity, box_->public_key);
  for (const auto& flow : viewing_.wanted()) {
    link_->want(flow, now);
  }
  for (const auto& flow : parts_.tun ? parts_.tun->wanted() : std::vector<FlowKey>()) {
    link_->want(flow, now);
  }
  if (relay_policy() != signalling::RelayPolicy::kAlways) {
    link_->on_candidates(known_candidates(), now);
  }
  update_relay_policy(now);
  perform(relay_.set_peers(parts_.memory.candidates, now), now);
  perform(relay_.on_path(std::nullopt, now), now);
  update_candidates(now);
  connect_rendezvous();
  look_around();
  update_reachability();
  arm();
}

void Client::connect_rendezvous() {
  if (!box_->rendezvous) {
    return;
  }
  auto made =
      http::SignallingLink::make(parts_.io, parts_.log, signalling::Role::kDevice, parts_.identity, random_,
                                 *box_->rendezvous, [this, alive = alive_](signalling::ClientAction event) {
                                   if (*alive) {
                                     on_rendezvous(std::move(event), Clock::now());
                                     arm();
                                   }
                                 });
  if (!made) {
    parts_.log.error("rendezvous", {{"error", made.error().text}});
    return;
  }
  signalling_ = std::move(*made);
  signalling_->start();
}

void Client::on_up(Up message, Time now) {
  if (auto* stun = std::get_if<datapath::StunReceived>(&message)) {
    on_stun(*stun, now);
  } else if (auto* handshake = std::get_if<datapath::HandshakeReceived>(&message)) {
    if (link_) {
      link_->on_handshake(handshake->from, handshake->datagram, now);
    }
  } else if (auto* inner = std::get_if<datapath::InnerReceived>(&message)) {
    if (link_) {
      link_->on_inner(inner->peer, inner->gre, now);
    }
  } else if (auto* closed = std::get_if<datapath::SessionClosed>(&message)) {
    if (link_) {
      link_->on_session_closed(closed->peer, closed->reason, now);
    }
  } else if (auto* relay = std::get_if<datapath::RelayStreamChanged>(&message)) {
    perform(relay_.on_stream(relay->id, relay->open, relay->reason, now), now);
  } else if (auto* signal = std::get_if<StreamSignal>(&message)) {
    on_signal(*signal, now);
  } else if (const auto* overloaded = std::get_if<StreamOverloaded>(&message)) {
    if (const auto* flow = viewing_.flow(overloaded->channel); flow != nullptr && link_) {
      link_->on_congestion({*flow, overloaded->arriving_bps, overloaded->needed_bps}, now);
    }
  } else if (auto* listened = std::get_if<TunSignal>(&message)) {
    on_tun_signal(*listened, now);
  } else if (auto* gone = std::get_if<PlayerGone>(&message)) {
    parts_.log.info("player_gone", {{"channel", std::to_string(gone->channel.value)},
                                    {"why", gone->end == PlayerEnd::kClosed    ? "closed by the player"
                                            : gone->end == PlayerEnd::kTooSlow ? "it stopped reading"
                                                                               : "the channel ended"},
                                    {"bytes", std::to_string(gone->bytes)}});
    if (gone->end != PlayerEnd::kStreamClosed) {
      perform(viewing_.on_player_gone(gone->channel));
    }
  } else if (auto* ready = std::get_if<StatisticsReady>(&message)) {
    statistics_ = std::move(ready->statistics);
    if (const auto known = link(); known && known->round_trip && !statistics_->streams.empty()) {
      post(SetRoundTrip{*known->round_trip});
    }
  }
}

void Client::on_stun(const datapath::StunReceived& received, Time now) {
  const auto decoded = wire::decode_stun(received.datagram);
  if (!decoded) {
    return;
  }
  if (presence_.expects(decoded->transaction)) {
    perform(presence_.on_stun(received.from, received.datagram, *decoded, now), now);
  } else if (relay_.takes(received.from, *decoded)) {
    perform(relay_.on_stun(received.datagram, *decoded, now), now);
  } else if (link_ && (parts_.relay != signalling::RelayPolicy::kAlways || wire::channel_of(received.from))) {
    link_->on_stun(received.from, received.datagram, *decoded, now);
  }
}

void Client::on_signal(const StreamSignal& signal, Time now) {
  if (const auto* flow = viewing_.flow(signal.channel); flow != nullptr && link_) {
    link_->on_signal(*flow, signal.present, now);
    if (signal.present) {
      narrow_.erase(*flow);
    }
  }
  perform(viewing_.on_signal(signal.channel, signal.present));
}

void Client::on_deadline(Time now) {
  if (link_ && link_->next_deadline() <= now) {
    link_->on_deadline(now);
  }
  if (presence_.next_deadline() <= now) {
    perform(presence_.on_deadline(now), now);
  }
  if (introducer_ && introducer_->next_deadline() <= now) {
    ask_for_introduction(now);
  }
  if (relay_.next_deadline() <= now) {
    perform(relay_.on_deadline(now), now);
  }
  if (viewing_.next_deadline() <= now) {
    perform(viewing_.on_deadline(now));
  }
  if (parts_.tun) {
    parts_.tun->on_deadline(now);
  }
  arm();
}

void Client::arm() {
  if (!timer_) {
    return;
  }
  Time first = std::min({presence_.next_deadline(), viewing_.next_deadline(), relay_.next_deadline()});
  if (link_) {
    first = std::min(first, link_->next_deadline());
  }
  if (introducer_) {
    first = std::min(first, introducer_->next_deadline());
  }
  if (parts_.tun) {
    first = std::min(first, parts_.tun->next_deadline());
  }
  timer_->arm(first);
}

// ---- players -------------------------------------------------------------------------------------------

void Client::play(ChannelId channel, http::Responder responder) {
  const RequestId id{++last_request_};
  requests_.emplace(id, std::move(responder));
  perform(viewing_.on_request(id, channel, Clock::now()));
  arm();
}

void Client::perform(const ViewingActions& actions) {
  for (const auto& action : actions) {
    if (const auto* want = std::get_if<Want>(&action)) {
      post(OpenStream{want->channel, want->flow});
      if (link_) {
        link_->want(want->flow, Clock::now());
      }
    } else if (const auto* unwant = std::get_if<Unwant>(&action)) {
      if (link_) {
        link_->unwant(unwant->flow, Clock::now());
      }
      post(CloseStream{unwant->channel});
    } else if (const auto* play = std::get_if<Play>(&action)) {
      hand_over(play->request, play->channel);
    } else if (const auto* answer = std::get_if<Answer>(&action)) {
      if (const auto request = requests_.extract(answer->request)) {
        parts_.log.info("player_refused",
                        {{"status", std::to_string(answer->status)}, {"error", answer->text}});
        request.mapped().send(http::Response::text(answer->status, answer->text + "\n"));
      }
    }
  }
}

void Client::hand_over(RequestId id, ChannelId channel) {
  const auto request = requests_.extract(id);
  if (!request) {
    return;
  }
  http::Response head;
  head.headers.set("Content-Type", "video/mp2t");
  head.headers.set("Cache-Control", "no-store");
  request.mapped().detach(std::move(head), [this, id, channel, alive = alive_](Result<int, Failure> socket) {
    linux::Fd fd(socket ? *socket : -1);
    if (!*alive) {
      return;
    }
    if (socket && plane_.post(AddPlayer{PlayerId{id.value}, channel, std::move(fd)})) {
      parts_.log.info("player_added", {{"channel", std::to_string(channel.value)}});
      return;
    }
    perform(viewing_.on_player_gone(channel));
    arm();
  });
}

// ---- what the link asks of its host --------------------------------------------------------------------

void Client::send(const Endpoint& to, Bytes datagram) {
  if (wire::channel_of(to)) {
    const Time now = Clock::now();
    perform(relay_.send(to, datagram, now), now);
  } else {
    (void)parts_.socket.send(to, datagram);
  }
}

void Client::post(Down message) {
  if (!plane_.post(std::move(message))) {
    parts_.log.error("queue_full", {{"error", "the data thread does not keep up"}});
  }
}

tunnel::DeviceHello Client::hello() const {
  tunnel::Capabilities capabilities{std::string(tunnel::kCanRepair), std::string(tunnel::kCanPrelude),
                                    std::string(tunnel::kCanCompact), std::string(tunnel::kCanProbe)};
  if (parts_.tun) {
    capabilities.emplace_back(tunnel::kCanTun);
  }
  return {tunnel::kControlVersion,
          "hearthcast-away " HEARTHCAST_VERSION,
          parts_.name,
          channels_revision_,
          std::move(capabilities),
          parts_.encapsulation};
}

void Client::on_status() {
  if (introducer_) {
    const Time now = Clock::now();
    // Through the relay a direct path is still looked for, and the box tries only what it is asked to.
    const auto selected = link_->agent().selected();
    introducer_->on_path(selected && !is_relayed(*selected), now);
    perform(relay_.on_path(selected, now), now);
  }
  look_around();
  update_reachability();
  if (const auto status = link_->status(); parts_.tun && status.hello) {
    parts_.tun->on_hello(*status.hello, Clock::now());
  }
}

void Client::on_channels(const tunnel::ChannelList& list) {
  parts_.log.info("channels", {{"count", std::to_string(list.channels.size())},
                               {"revision", std::to_string(list.revision)}});
  channels_revision_ = list.revision;
  if (const auto saved = parts_.state.save(list); !saved) {
    parts_.log.warning("channels_cache", {{"error", saved.error().text}});
  }
  perform(viewing_.on_channels(list.channels));
  if (parts_.tun) {
    parts_.tun->on_channels(list.channels);
  }
}

void Client::on_refusal(const tunnel::Refusal& refusal) {
  if (refusal.code == tunnel::RefusalCode::kPath) {
    narrow_[refusal.flow] = refusal.text;
  }
  perform(viewing_.on_refusal(refusal));
  if (parts_.tun) {
    parts_.tun->on_refusal(refusal);
  }
}

void Client::on_path(const Endpoint& endpoint) {
  if (is_relayed(endpoint)) {
    return;  // of an allocation only
  }
  if (parts_.memory.endpoints.empty() || parts_.memory.endpoints.front() != endpoint) {
    parts_.memory.reached(endpoint);
    remember();
  }
}

void Client::remember() {
  parts_.memory.port = parts_.socket.port();
  if (const auto saved = parts_.state.save(parts_.memory); !saved) {
    parts_.log.warning("memory", {{"error", saved.error().text}});
  }
}

std::optional<LinkStatus> Client::link() const {
  return link_ ? std::optional(link_->status()) : std::nullopt;
}

void Client::update_reachability() {
  Reachability now;
  if (!link_) {
    now = {true, false, 503, "This device is not paired with a box yet. Run: hearthcast-away pair LINK"};
    perform(viewing_.on_reachability(std::move(now)));
    return;
  }
  const auto status = link_->status();
  now.explanation = status.text;
  now.connected = status.phase == LinkPhase::kConnected;
  if (status.notice && status.notice->code == tunnel::NoticeCode::kRevoked) {
    now = {true, false, 403, "The owner of the box has revoked this device. " + status.notice->text};
  } else if (status.hello && status.hello->state == tunnel::DeviceState::kPending) {
    now.approved = false;
    now.status = 403;
    now.explanation = "This device waits for the approval of the box's owner. " + status.hello->text;
  } else if (status.hello && status.hello->state == tunnel::DeviceState::kRevoked) {
    now.approved = false;
    now.status = 403;
    now.explanation = "The owner of the box has revoked this device. " + status.hello->text;
  }
  perform(viewing_.on_reachability(std::move(now)));
}

}  // namespace hearthcast::away
