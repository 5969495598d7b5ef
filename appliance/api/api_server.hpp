// Serves API, web page and control socket: HTTP on the control thread, handlers on the worker thread, events
// to whoever listens.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "appliance/api/services.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/http/server.hpp"
#include "tunnelmgr/runtime/worker.hpp"

namespace hearthcast::api {

class ApiServer {
 public:
  // Everything but the worker outlives the server; the worker goes before it. services belongs to the
  // worker's thread, live to the control thread, which runs io.
  ApiServer(boost::asio::io_context& io, Log& log, runtime::Worker& worker, Services& services,
            const LiveSource& live);
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  [[nodiscard]] http::Server& server();  // to listen
  // Who answers players at home (playlist::is_lan_path()), on the control thread; set before listening.
  void on_lan(http::Handler handler);
  void stop();  // ends the event streams and closes the listeners; idempotent

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearthcast::api
