#include "tunnelmgr/away/run.hpp"

#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>

#include "tunnelmgr/away/client.hpp"
#include "tunnelmgr/away/web.hpp"
#include "tunnelmgr/http/server.hpp"
#include "tunnelmgr/linux/privileges.hpp"
#include "tunnelmgr/runtime/control_loop.hpp"
#include "tunnelmgr/runtime/privileges.hpp"
#include "tunnelmgr/runtime/stderr_log.hpp"

namespace hearthcast::away {
namespace {

constexpr const char* kNetdSocket = "/run/hearthcast/away-netd.sock";  // of hearthcast-away-netd.socket
constexpr std::size_t kReceiveBuffer = std::size_t{4} << 20;           // half a second of eight channels

std::string device_name(const AwaySettings& settings) {
  if (!settings.name.empty()) {
    return settings.name;
  }
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0'
             ? std::string(name.data()).substr(0, 64)
             : "laptop";
}

// The remembered port, unless somebody else has it now.
Result<linux::UdpSocket, Failure> open_port(const AwaySettings& settings, const Memory& memory, Log& log) {
  linux::UdpOptions options;
  options.receive_buffer = kReceiveBuffer;
  options.port = settings.tunnel_port != 0 ? settings.tunnel_port : memory.port;
  auto socket = linux::UdpSocket::open(options);
  if (!socket && settings.tunnel_port == 0 && memory.port != 0) {
    log.warning("tunnel_port", {{"error", socket.error().text}});
    options.port = 0;
    socket = linux::UdpSocket::open(options);
  }
  return socket;
}

int fail(Log& log, const Failure& failure) {
  log.error("start", {{"error", failure.text}});
  return runtime::kFailed;
}

}  // namespace

int run(const AwaySettings& settings) {
  runtime::StderrLog log(settings.log_level);
  if (linux::is_root() && !settings.run_as.empty()) {  // what an earlier run as root left is given away, too
    if (const auto prepared = linux::prepare_folder(settings.state_dir, settings.run_as); !prepared) {
      return fail(log, prepared.error());
    }
  }
  auto netd = runtime::start_helper_and_drop(settings.run_as, log, {}, kNetdSocket, "--tun");
  if (!netd) {
    return fail(log, netd.error());
  }
  const StateFolder state(settings.state_dir);
  if (const auto prepared = state.prepare(); !prepared) {
    return fail(log, prepared.error());
  }
  const auto identity = secure::load_or_make_identity(state.identity_file());
  if (!identity) {
    return fail(log, identity.error());
  }
  Memory memory;
  if (auto loaded = state.load_memory(); !loaded) {
    log.warning("memory", {{"error", loaded.error().text}});  // it costs a little time, no more
  } else if (*loaded) {
    memory = **loaded;
  }
  auto socket = open_port(settings, memory, log);
  if (!socket) {
    return fail(log, socket.error());
  }
  if (const auto raised = netd->raise_receive_buffer(socket->fd(), kReceiveBuffer); !raised) {
    log.info("receive_buffer", {{"error", raised.error().text}});
  }
  memory.port = socket->port();
  if (const auto saved = state.save(memory); !saved) {
    return fail(log, saved.error());
  }

  std::unique_ptr<Tun> tun;
  if (settings.tun_on) {
    auto opened = Tun::open(*netd, log, Clock::now());
    if (!opened) {
      return fail(log, opened.error());
    }
    tun = std::move(*opened);
  }

  runtime::ControlLoop loop(log);
  auto client =
      Client::start({loop.io(), log, state, *identity, std::move(*socket), memory, device_name(settings),
                     std::move(tun), settings.relay, settings.ask_lan, settings.encapsulation});
  if (!client) {
    return fail(log, client.error());
  }
  Web web(loop.io(), log, **client, settings.http_listen);
  const auto handler = [&web](const http::Request& request, const http::Responder& responder) {
    web.handle(request, responder);
  };
  http::Limits limits;
  limits.body_bytes = std::size_t{64} << 10;
  http::Server players(loop.io(), log, handler, limits);
  http::Server control(loop.io(), log, handler, limits);
  const auto listening = players.listen_tcp(settings.http_listen);
  if (!listening) {
    return fail(log, listening.error());
  }
  if (const auto listens = control.listen_unix(settings.control_socket.string()); !listens) {
    return fail(log, listens.error());
  }
  loop.alive_if([&] { return (*client)->alive(); });
  loop.on_stop([&] {
    (*client)->stop();
    players.stop();
    control.stop();
  });
  log.info("started", {{"version", HEARTHCAST_VERSION},
                       {"playlist", "http://" + listening->to_string() + "/playlist.m3u"},
                       {"port", std::to_string((*client)->port())}});
  return loop.run();
}

}  // namespace hearthcast::away
