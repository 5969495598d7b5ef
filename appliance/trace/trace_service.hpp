// Answers multicast traceroute (RFC 8487) on the box's downstream links, from the proxy's state.
//
// Control thread only. Off until links are named. A link whose port cannot be opened is logged once and not
// answered on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "appliance/proxy/status.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/trace/responder.hpp"

namespace boost::asio {
class io_context;
}
namespace hearthcast {
class Log;
}

namespace hearthcast::trace {

class TraceService {
 public:
  // `status` is asked for each question that is to be answered. loop and log outlive the service.
  TraceService(boost::asio::io_context& loop, Log& log, std::function<proxy::Status(Time now)> status);
  ~TraceService();

  // All interfaces of the machine, and on which of them to answer, by index. Those that stay are not touched.
  void on_interfaces(std::vector<linux::Interface> interfaces, const std::set<unsigned>& links);

  [[nodiscard]] const ResponderCounters& counters() const { return responder_.counters(); }

 private:
  struct Port;
  struct Place {  // what a port listens to
    unsigned index;
    Family family;
    bool all_routers;  // their group; else the box's own addresses
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  void open(const Place& place);
  void on_readable(Port& port);

  boost::asio::io_context& loop_;
  Log& log_;
  std::function<proxy::Status(Time)> status_;
  Responder responder_;
  std::vector<linux::Interface> interfaces_;
  std::map<Place, std::unique_ptr<Port>> ports_;  // null: could not be opened
};

}  // namespace hearthcast::trace
