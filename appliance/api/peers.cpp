#include <algorithm>
#include <nlohmann/json.hpp>

#include "appliance/api/body.hpp"
#include "appliance/api/handlers.hpp"
#include "appliance/api/render.hpp"

namespace hearthcast::api {

using nlohmann::json;

namespace {

json render_peer(const PeerLive& peer, Time now) {
  json watching = json::array();
  for (const ChannelId channel : peer.watching) {
    watching.push_back(channel.value);
  }
  json out = {{"name", peer.name},     {"encapsulation", peer.encapsulation}, {"sealed", false},
              {"learnt", peer.learnt}, {"watching", std::move(watching)},     {"packets", peer.packets},
              {"bytes", peer.bytes},   {"send_dropped", peer.send_dropped},   {"received", peer.received},
              {"moves", peer.moves},   {"drops", render_drops(peer.drops)}};
  if (peer.endpoint) {
    // Over IP there is no port.
    out["endpoint"] =
        peer.endpoint->port == 0 ? peer.endpoint->address.to_string() : peer.endpoint->to_string();
  }
  if (!peer.trouble.empty()) {
    out["trouble"] = peer.trouble;
  }
  if (!peer.refusal.empty()) {
    out["refusal"] = peer.refusal;
  }
  if (peer.last_received) {
    out["last_received_s"] = std::max<std::int64_t>(
        0, std::chrono::duration_cast<std::chrono::seconds>(now - *peer.last_received).count());
  }
  return out;
}

}  // namespace

json render_peers(const LiveState& live, Time now) {
  json list = json::array();
  for (const PeerLive& peer : live.peers) {
    list.push_back(render_peer(peer, now));
  }
  return {{"peers", std::move(list)}, {"strangers", live.peer_strangers}};
}

http::Response list_peers(const Call& call, Services&) {
  return json_response(200, render_peers(call.live, call.now));
}

}  // namespace hearthcast::api
