// The connecting half of WebSockets.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "tunnelmgr/http/client.hpp"
#include "tunnelmgr/http/dial.hpp"
#include "tunnelmgr/http/websocket_session.hpp"

namespace hearthcast::http {
namespace {

asio::awaitable<void> run(std::shared_ptr<Dial> dial, ConnectHandler done, std::chrono::milliseconds timeout,
                          std::chrono::milliseconds silence) {
  dial->limit(timeout);
  if (const auto error = co_await dial->open()) {
    done(ClientFailure{dial->timed_out() ? "no answer in time" : *error, false});
    co_return;
  }
  dial->unlimit();
  const auto session = std::make_shared<WebSocketSession>(std::move(dial->stream()), dial->peer());
  const Url url = dial->target().url;
  dial.reset();
  if (const auto error = co_await session->connect(url.authority(), url.target, silence)) {
    done(ClientFailure{*error, true});
    co_return;
  }
  done(std::shared_ptr<WebSocket>(session));
  co_await session->run();
}

}  // namespace

void connect_websocket(asio::io_context& io, Target to, ConnectHandler done,
                       std::chrono::milliseconds timeout, std::chrono::milliseconds silence) {
  auto dial = std::make_shared<Dial>(io, std::move(to));
  asio::co_spawn(
      io,
      [dial = std::move(dial), done = std::move(done), timeout, silence]() mutable {
        return run(std::move(dial), std::move(done), timeout, silence);
      },
      asio::detached);
}

}  // namespace hearthcast::http
