#include "appliance/sessions/path_prober.hpp"

#include <utility>

#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/tunnel/path_probe.hpp"

namespace hearthcast::sessions {
namespace {

constexpr std::size_t kUdpHeader = 8;

}  // namespace

std::size_t PathProber::headers() const {
  return (facts_.path && facts_.path->address.is_ip6() ? 40U : 20U) + kUdpHeader;
}

void PathProber::perform(const tunnel::PathActions& actions, PathProberActions& out) const {
  for (const auto& action : actions) {
    if (const auto* probe = std::get_if<tunnel::SendProbe>(&action)) {
      const tunnel::PathProbe fields{false, probe->nonce, probe->size, size_.confirmed()};
      out.emplace_back(SendInner{tunnel::encode(fields, frame_of(probe->size))});
    } else if (facts_.compact) {
      out.emplace_back(LimitFrames{frame_of(std::get<tunnel::PathSizeChanged>(action).size)});
    }
  }
}

PathProberActions PathProber::update(const PathFacts& facts, Time now) {
  PathProberActions out;
  const PathFacts before = std::exchange(facts_, facts);
  if (!facts.path || (!facts.compact && !facts.probe)) {
    return out;
  }
  const bool moved = facts.path != before.path;
  if (facts.compact && (moved || !before.compact)) {
    // What fits every path, until this one is known.
    out.emplace_back(LimitFrames{frame_of(tunnel::PathSize::base_of(facts.path->address.family()))});
  }
  if (facts.probe && (moved || !before.probe)) {
    perform(size_.start(facts.path->address.family(), now), out);
  }
  perform(size_.set_active(facts.watching, now), out);
  return out;
}

std::optional<PathProberActions> PathProber::on_inner(Bytes gre, Time now) {
  const auto inner = tunnel::decode_inner_packet(gre);
  if (!inner || inner->kind != tunnel::InnerKind::kControl) {
    return std::nullopt;
  }
  const auto probe = tunnel::decode_path_probe(inner->payload);
  if (!probe) {
    return std::nullopt;
  }
  PathProberActions out;
  if (probe->answer) {
    perform(size_.on_answer(probe->nonce, probe->size, now), out);
  } else {
    out.emplace_back(
        SendInner{tunnel::encode(tunnel::PathProbe{true, probe->nonce, probe->size, probe->path_mtu})});
  }
  return out;
}

PathProberActions PathProber::on_refused(std::size_t datagram, Time now) {
  PathProberActions out;
  const std::size_t size = datagram + headers();
  if (size <= tunnel::PathSize::kLargest) {
    perform(size_.on_too_big(static_cast<std::uint16_t>(size), now), out);
  }
  return out;
}

PathProberActions PathProber::on_deadline(Time now) {
  PathProberActions out;
  perform(size_.on_deadline(now), out);
  return out;
}

std::optional<std::uint16_t> PathProber::path_mtu() const {
  return size_.confirmed() == 0 ? std::nullopt : std::optional(size_.confirmed());
}

}  // namespace hearthcast::sessions
