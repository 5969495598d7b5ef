// Asks the DNS where the box's names point now, again and again while that is wanted: a home's address
// changes, and its name follows. Control thread only; the resolver's own thread waits for the answers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/tunnel/reach.hpp"

namespace boost::asio {
class io_context;
}

namespace hearthcast::away {

class HostNames {
 public:
  static constexpr std::chrono::seconds kAgain{60};

  // found(endpoints) for each answer that is not empty.
  HostNames(boost::asio::io_context& io, std::function<void(const std::vector<Endpoint>&)> found);
  ~HostNames();

  // Those without a name are passed over. Asks for them at once when they are others than before.
  void set(const std::vector<tunnel::ReachAddress>& addresses);
  // While wanted, they are asked for at once, unless they are just being, then every kAgain.
  void want(bool wanted);
  void on_network_change();  // others may answer now, or answer otherwise: asks at once

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with questions that are on their way
};

}  // namespace hearthcast::away
