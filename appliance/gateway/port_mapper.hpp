// Runs nat::PortMapping in the program: finds the router, talks to it, and has a thread of its own for UPnP,
// whose calls take seconds. Control thread only.
#pragma once

#include <functional>
#include <memory>

#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/nat/port_mapping.hpp"

namespace boost::asio {
class io_context;
}

namespace hearthcast::gateway {

class PortMapper {
 public:
  struct Needs {  // all outlive it
    boost::asio::io_context& io;
    Log& log;
    Random& random;
  };
  // Begins at once. moved() when the port is to be found elsewhere outside, or nowhere any more.
  PortMapper(const Needs& needs, std::uint16_t port, std::function<void()> moved);
  // Gives the port back first, which may take seconds by UPnP.
  ~PortMapper();

  void on_network_change();
  [[nodiscard]] const nat::MappingStatus& status() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // answers of the worker that are on their way hold it weakly
};

}  // namespace hearthcast::gateway
