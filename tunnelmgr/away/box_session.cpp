#include "tunnelmgr/away/box_session.hpp"

#include <algorithm>
#include <utility>

#include "tunnelmgr/away/refusal_match.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/tunnel/unicast.hpp"

namespace hearthcast::away {
namespace {

membership::Subscription subscription(const FlowKey& flow) { return {flow.source, flow.group}; }

}  // namespace

SessionActions BoxSession::start(Time now) {
  SessionActions out;
  next_ping_ = after_ping(now);
  perform(transport_.send(tunnel::encode(hello_), now), out, now);
  return out;
}

SessionActions BoxSession::on_inner(Bytes gre, Time now) {
  SessionActions out;
  const auto inner = tunnel::decode_inner_packet(gre);
  if (dead_ || !inner) {
    malformed_ += dead_ ? 0 : 1;
    return out;
  }
  if (inner->kind == tunnel::InnerKind::kControl) {
    if (const auto probe = tunnel::decode_path_probe(inner->payload)) {
      on_probe(*probe, out);
      return out;
    }
    perform(transport_.on_packet(inner->payload, now), out, now);
  } else if (inner->kind == tunnel::InnerKind::kMembership && listener_) {
    if (tunnel::decode_unicast(inner->payload)) {
      out.emplace_back(PacketCame{Buffer(inner->payload.begin(), inner->payload.end())});
    } else {
      report(listener_->on_packet(inner->payload), out);
    }
  }
  return out;
}

// It has come, so its size passes; the answer says so.
void BoxSession::on_probe(const tunnel::PathProbe& probe, SessionActions& out) {
  if (probe.answer) {
    return;  // we ask nothing
  }
  path_mtu_ = probe.path_mtu;
  out.emplace_back(SendGre{tunnel::encode(tunnel::PathProbe{true, probe.nonce, probe.size, probe.path_mtu})});
}

void BoxSession::perform(const tunnel::ControlActions& actions, SessionActions& out, Time now) {
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<tunnel::SendPacket>(&action)) {
      out.emplace_back(SendGre{send->gre});
    } else if (const auto* message = std::get_if<tunnel::MessageReceived>(&action)) {
      on_message(message->body, out, now);
    } else {
      die("the box does not answer inside the tunnel", out);
    }
  }
}

void BoxSession::on_message(Bytes body, SessionActions& out, Time now) {
  auto message = tunnel::decode_control_message(body, tunnel::Sender::kBox);
  if (!message) {
    if (auto reach = tunnel::decode_reach(body)) {
      out.emplace_back(ReachTold{std::move(*reach)});
      return;
    }
    if (auto hosts = tunnel::decode_home_hosts(body)) {
      out.emplace_back(HomeHostsTold{std::move(*hosts)});
      return;
    }
    malformed_ += message.error() == ParseError::kUnknownType ? 0 : 1;
    return;
  }
  if (auto* hello = std::get_if<tunnel::BoxHello>(&*message)) {
    on_greeting(std::move(*hello), out, now);
  } else if (auto* list = std::get_if<tunnel::ChannelList>(&*message)) {
    out.emplace_back(ChannelsCame{std::move(*list)});
  } else if (auto* refusal = std::get_if<tunnel::Refusal>(&*message)) {
    on_refusal(*refusal);
    watch_silence(now);
    out.emplace_back(Refused{std::move(*refusal)});
  } else if (auto* notice = std::get_if<tunnel::Notice>(&*message)) {
    out.emplace_back(Noticed{std::move(*notice)});
  }
}

// The box says hello again when the device's state changes.
void BoxSession::on_greeting(tunnel::BoxHello hello, SessionActions& out, Time now) {
  const bool first = !greeting_;
  const bool approved_now = hello.state == tunnel::DeviceState::kApproved &&
                            (first || greeting_->state != tunnel::DeviceState::kApproved);
  greeting_ = hello;
  if (first) {
    listener_.emplace(hello.link_local);
    for (const auto& [flow, wanted] : wanted_) {
      report(listener_->join(subscription(flow), now), out);
    }
    watch_silence(now);
  } else if (approved_now) {
    report(listener_->restart(hello.link_local, now), out);
  }
  out.emplace_back(Greeted{std::move(hello)});
}

void BoxSession::on_refusal(const tunnel::Refusal& refusal) {
  for (auto& [flow, wanted] : wanted_) {
    if (is_about(refusal.flow, flow)) {
      wanted.refused = true;
      if (listener_) {
        listener_->on_answer(subscription(flow));
      }
    }
  }
}

SessionActions BoxSession::want(const FlowKey& flow, Time now) {
  SessionActions out;
  const auto [at, is_new] = wanted_.try_emplace(flow);
  if (dead_ || !is_new) {
    return out;
  }
  next_ping_ = std::min(next_ping_, after_ping(now));
  if (listener_) {
    report(listener_->join(subscription(flow), now), out);
  }
  watch_silence(now);
  return out;
}

SessionActions BoxSession::unwant(const FlowKey& flow, Time now) {
  SessionActions out;
  if (wanted_.erase(flow) == 0 || dead_) {
    return out;
  }
  if (listener_) {
    report(listener_->leave(subscription(flow), now), out);
  }
  watch_silence(now);
  return out;
}

SessionActions BoxSession::say_congestion(const tunnel::Congestion& congestion, Time now) {
  SessionActions out;
  if (!dead_ && greeting_ && tunnel::lists(greeting_->capabilities, tunnel::kCanRepair) &&
      wanted_.contains(congestion.flow)) {
    perform(transport_.send(tunnel::encode(congestion), now), out, now);
  }
  return out;
}

SessionActions BoxSession::say_path(std::string relayed, Time now) {
  SessionActions out;
  if (!dead_ && greeting_) {
    perform(transport_.send(tunnel::encode(tunnel::PathTold{std::move(relayed)}), now), out, now);
  }
  return out;
}

SessionActions BoxSession::on_path(bool answers, Time now) {
  SessionActions out;
  if (std::exchange(path_answers_, answers) == answers || dead_ || !answers) {
    return out;
  }
  transport_.on_path_back(now);
  if (listener_) {
    report(listener_->on_path_back(now), out);
  }
  if (!transport_.idle()) {
    next_ping_ = std::max(next_ping_, now + timing_.ping_after);  // an answer is due anyway
  } else if (!any_present()) {
    next_ping_ = std::min(next_ping_, now);  // a box that has restarted answers checks, but knows no session
  }
  return out;
}

void BoxSession::on_signal(const FlowKey& flow, bool present, Time now) {
  const auto at = wanted_.find(flow);
  if (at == wanted_.end()) {
    return;
  }
  const bool stopped = std::exchange(at->second.present, present) && !present;
  if (present) {
    at->second.refused = false;
    if (listener_) {
      listener_->on_answer(subscription(flow));
    }
  }
  watch_silence(now, stopped);
}

bool BoxSession::any_present() const {
  return std::any_of(wanted_.begin(), wanted_.end(), [](const auto& w) { return w.second.present; });
}

Time BoxSession::patience_ends() const {
  const Time waiting = transport_.waiting_since();
  return waiting == kNever || any_present() || !path_answers_ ? kNever : waiting + timing_.patience;
}

void BoxSession::watch_silence(Time now, bool stopped) {
  const bool any_expected =
      std::any_of(wanted_.begin(), wanted_.end(), [](const auto& w) { return !w.second.refused; });
  if (any_present() || !any_expected || !greeting_) {
    silent_since_ = kNever;
    check_at_ = kNever;
  } else if (silent_since_ == kNever) {
    silent_since_ = now;
    check_at_ = stopped ? now : now + timing_.check_after;
    checks_ = 0;
    next_ping_ = std::min(next_ping_, now + timing_.ping_after);
  }
}

void BoxSession::report(const membership::Listener::Packets& packets, SessionActions& out) const {
  for (const auto& packet : packets) {
    out.emplace_back(SendGre{tunnel::encode_membership(packet)});
  }
}

void BoxSession::ping(SessionActions& out, Time now) {
  next_ping_ = after_ping(now);
  perform(transport_.send(tunnel::encode(tunnel::Ping{++pings_}), now), out, now);
}

void BoxSession::die(std::string reason, SessionActions& out) {
  if (!std::exchange(dead_, true)) {
    out.emplace_back(Dead{std::move(reason)});
  }
}

SessionActions BoxSession::on_deadline(Time now) {
  SessionActions out;
  if (dead_) {
    return out;
  }
  if (now >= patience_ends()) {
    die("the box does not answer: it has probably restarted", out);
    return out;
  }
  if (path_answers_) {
    perform(transport_.on_deadline(now), out, now);
  }
  if (listener_ && listener_->next_deadline() <= now) {
    report(listener_->on_deadline(now), out);
  }
  if (now >= check_at_) {
    check_at_ = now + (++checks_ < kQuickChecks ? timing_.check_again : timing_.check_slowly);
    out.emplace_back(CheckPath{});
  }
  if (path_answers_ && now >= next_ping_ && transport_.idle()) {
    ping(out, now);
  }
  return out;
}

Time BoxSession::next_deadline() const {
  if (dead_) {
    return kNever;
  }
  Time first = !path_answers_ ? kNever : transport_.idle() ? next_ping_ : transport_.next_deadline();
  first = std::min({first, patience_ends(), check_at_});
  if (listener_) {
    first = std::min(first, listener_->next_deadline());
  }
  return first;
}

}  // namespace hearthcast::away
