// The translation of addresses between devices that go to hosts of the home network and the relay on the box
// that makes the connections there: a device's connection to a host becomes one to the relay, told from its
// others by a port that stands for it. So the home network sees the box's own address only, and no kernel
// forwards anything. Pure; data thread only. Packets are whole IP packets of TCP without options or extension
// headers.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::forward {

class HomeNat {
 public:
  static constexpr std::size_t kMaxPerDevice = 256;  // connections, with those that ended a moment ago
  // What has ended, or never became a connection, is kept so long for its last segments.
  static constexpr std::chrono::seconds kLinger{60};

  struct Flow {
    PeerId peer;
    Endpoint device;
    Endpoint target;  // at home
    Endpoint box;     // where the relay takes it
  };

  // A segment of a device, readdressed in place to the relay at `box`. False: it begins nothing (no SYN) and
  // belongs to nothing, or the device has too many.
  [[nodiscard]] bool outward(PeerId peer, const Endpoint& device, const Endpoint& target, const Endpoint& box,
                             MutableBytes packet, Time now);
  // A segment of the relay, from `box` to `stand_in`, readdressed in place as if the host at home had sent
  // it. Whose it is; nullopt: of no flow.
  [[nodiscard]] std::optional<PeerId> backward(const Endpoint& box, const Endpoint& stand_in,
                                               MutableBytes packet) const;

  // What the relay's connection from that endpoint is.
  [[nodiscard]] const Flow* find(const Endpoint& stand_in) const;
  // The relay has it, and from now on it lives until closed.
  void opened(const Endpoint& stand_in);
  void closed(const Endpoint& stand_in, Time now);
  void expel(PeerId peer);
  void on_tick(Time now);
  [[nodiscard]] std::size_t size() const { return flows_.size(); }

 private:
  struct Entry {
    Flow flow;
    Time ends = kNever;
  };
  using Key = std::tuple<Endpoint, Endpoint>;  // device, target

  [[nodiscard]] std::optional<Endpoint> make(PeerId peer, const Endpoint& device, const Endpoint& target,
                                             const Endpoint& box, Time now);
  template <class Gone>
  void erase_if(Gone gone);

  std::map<Key, Endpoint> stand_ins_;
  std::unordered_map<Endpoint, Entry> flows_;  // by stand-in: the device's address with a port of ours
  std::unordered_map<PeerId, std::size_t> counts_;
  std::uint16_t last_port_ = 0;
};

}  // namespace hearthcast::forward
