// The players of one stream: each is written what the stream's ring has, as far as its own socket takes it,
// and costs nobody else anything. Data thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "tunnelmgr/datapath/player.hpp"
#include "tunnelmgr/linux/epoll.hpp"

namespace hearthcast::datapath {

class Audience {
 public:
  // A player is gone, its socket closed; called from inside the calls below.
  using Gone = std::function<void(PlayerId player, PlayerEnd end, std::uint64_t bytes)>;

  // Descriptors are watched under the token `first_token` plus the player's id. `epoll` outlives it.
  Audience(linux::Epoll& epoll, std::uint64_t first_token, Gone gone)
      : epoll_(&epoll), first_token_(first_token), gone_(std::move(gone)) {}

  // A connected socket, see Player. False when the kernel refuses to watch one more: it is closed, nobody is
  // told. What there is for it is not written yet.
  [[nodiscard]] bool add(PlayerId player, linux::Fd socket, std::uint64_t start,
                         std::optional<std::uint64_t> paced_at, Time now);
  // What is new, to all that are not known to be full.
  void write(const playout::Ring& ring, Time now) { write(ring, now, true); }
  // Also to those: finds the ones that have stopped reading. To be called now and then.
  void retry(const playout::Ring& ring, Time now) { write(ring, now, false); }
  // An event of a player's descriptor. Unknown players are ignored.
  void on_event(PlayerId player, const linux::Epoll::Event& event, const playout::Ring& ring, Time now);
  void remove(PlayerId player);  // the stream is closed for this one
  void close();                  // for all

  [[nodiscard]] bool empty() const { return players_.empty(); }
  [[nodiscard]] const std::map<PlayerId, Player>& players() const { return players_; }

 private:
  using Place = std::map<PlayerId, Player>::iterator;
  void write(const playout::Ring& ring, Time now, bool only_ready);
  void write(Place at, const playout::Ring& ring, Time now);
  void end(Place at, PlayerEnd why);

  linux::Epoll* epoll_;
  std::uint64_t first_token_;
  Gone gone_;
  std::map<PlayerId, Player> players_;  // a map: descriptors and iterators stay while others go
};

}  // namespace hearthcast::datapath
