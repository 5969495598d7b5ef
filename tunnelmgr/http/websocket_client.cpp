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
  const std::optional<std::string> failed_to_open = co_await dial->open();
  if (failed_to_open) {
    done(ClientFailure{dial->timed_out() ? std::string("no answer in time") : *failed_to_open, false});
    co_return;
  }
  dial->unlimit();
  const auto session = std::make_shared<WebSocketSession>(std::move(dial->stream()), dial->peer());
  const Url url = dial->target().url;
  dial.reset();
  const std::string host = url.authority();
  const std::optional<std::string> failed_to_agree = co_await session->connect(host, url.target, silence);
  if (failed_to_agree) {
    done(ClientFailure{*failed_to_agree, true});
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
