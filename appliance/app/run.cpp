#include "appliance/app/run.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>

#include "appliance/api/api_server.hpp"
#include "appliance/api/render.hpp"
#include "appliance/app/own_addresses.hpp"
#include "appliance/app/print.hpp"
#include "appliance/app/reload.hpp"
#include "appliance/app/tunnel_service.hpp"
#include "appliance/household/export.hpp"
#include "tunnelmgr/linux/folder_lock.hpp"
#include "tunnelmgr/linux/privileges.hpp"
#include "tunnelmgr/linux/process_limits.hpp"
#include "tunnelmgr/runtime/control_loop.hpp"
#include "tunnelmgr/runtime/machine_timer.hpp"
#include "tunnelmgr/runtime/privileges.hpp"
#include "tunnelmgr/runtime/stderr_log.hpp"
#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::app {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kTick{1};
constexpr std::chrono::seconds kReloadPatience{5};

int fail(Log& log, const std::string& text) {
  log.error("start", {{"error", text}});
  return runtime::kFailed;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

// The machine's name, that with .local, and those of the settings.
std::vector<std::string> host_names(const BoxSettings& settings) {
  std::vector<std::string> names;
  std::array<char, 256> machine{};
  if (::gethostname(machine.data(), machine.size() - 1) == 0 && machine[0] != '\0') {
    names.push_back(lower(machine.data()));
    names.push_back(lower(machine.data()) + ".local");
  }
  std::string_view rest = settings.host_names;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    std::string name(rest.substr(0, end));
    std::erase(name, ' ');
    if (!name.empty()) {
      names.push_back(lower(name));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return names;
}

Result<void, Failure> prepare_folders(const BoxSettings& settings) {
  if (auto made = linux::prepare_folder(settings.state_dir, settings.run_as); !made) {
    return made;
  }
  const fs::path sockets = settings.control_socket.parent_path();
  std::error_code unknown;
  return fs::exists(sockets, unknown) ? Result<void, Failure>()
                                      : linux::prepare_folder(sockets, settings.run_as);
}

struct Listening {
  Endpoint https;
  std::uint16_t http_port = 0;  // 0: off
};

// Listens where the settings say; returns where that really is.
Result<Listening, Failure> listen(http::Server& server, const BoxSettings& settings,
                                  const secure::OpenSslIdentity& identity,
                                  const std::vector<std::string>& names) {
  auto tls = secure::TlsContext::server(identity, names);
  if (!tls) {
    return tls.error();
  }
  auto https = server.listen_tcp(settings.https_listen, *tls);
  if (!https) {
    return https.error();
  }
  Listening at{*https, 0};
  if (settings.http_on) {
    const auto http = server.listen_tcp(settings.http_listen);
    if (!http) {
      return http.error();
    }
    at.http_port = http->port;
  }
  if (const auto control = server.listen_unix(settings.control_socket.string()); !control) {
    return control.error();
  }
  return at;
}

std::vector<std::uint16_t> web_ports(std::uint16_t https, std::uint16_t http) {
  return http == 0 ? std::vector{https} : std::vector{https, http};
}

// A job's result, from the loop's thread to another that waits for it. It gives up after a while: at the stop
// the loop may turn no more.
Result<api::Reloaded, Failure> on_loop(boost::asio::io_context& loop,
                                       std::function<Result<api::Reloaded, Failure>()> job) {
  // Shared by the job and the one who waits, whichever lasts longer.
  const auto done = std::make_shared<std::promise<Result<api::Reloaded, Failure>>>();
  auto result = done->get_future();
  boost::asio::post(loop, [done, job = std::move(job)] { done->set_value(job()); });
  if (result.wait_for(kReloadPatience) != std::future_status::ready) {
    return Failure{"The box did not answer in time; it may be stopping."};
  }
  return result.get();
}

void dump(Log& log, const multicast::MulticastStatus& status) {
  std::istringstream text(print_multicast(api::render_multicast(status)));
  for (std::string line; std::getline(text, line);) {
    log.info("multicast", {{"status", line}});
  }
}

}  // namespace

int run(const BoxSettings& settings, const BoxSettings& in_file, const fs::path& file) {
  runtime::StderrLog log(settings.log_level);
  const auto rendezvous = settings.rendezvous();
  if (!rendezvous) {
    log.error("start", {{"error", rendezvous.error().text}});
    return runtime::kWrongUsage;
  }
  if (const auto prepared = prepare_folders(settings); !prepared) {
    return fail(log, prepared.error().text);
  }
  linux::raise_descriptor_limit();
  linux::return_large_blocks();
  auto netd = runtime::start_helper_and_drop(settings.run_as, log);
  if (!netd) {
    return fail(log, netd.error().text);
  }
  const auto lock = linux::FolderLock::take(settings.state_dir);  // which the helper has no part of
  if (!lock) {
    return fail(log, lock.error().text);
  }
  const auto finished = household::finish_restore(settings.state_dir);
  if (!finished) {
    return fail(log, finished.error().text);
  }
  if (*finished) {
    log.warning("restore_finished",
                {{"text", "the restore was cut short; the restored box is in place now"}});
  }
  const auto identity = secure::load_or_make_identity(settings.state_dir / "identity.pem");
  if (!identity) {
    return fail(log, identity.error().text);
  }
  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  auto household = household::Household::open(settings.state_dir, {crypto, random, *identity, log});
  if (!household) {
    return fail(log, household.error().text);
  }

  runtime::ControlLoop loop(log);
  auto worker = std::make_unique<runtime::Worker>(loop.io());
  auto tunnels =
      TunnelService::start({loop.io(), log, *worker, **household, *identity, crypto, random, *netd},
                           {.name = settings.name,
                            .port = settings.tunnel_port,
                            .dscp = settings.dscp,
                            .port_mapping = settings.port_mapping,
                            .gather = settings.gather,
                            .answer_lan = settings.answer_lan,
                            .public_address = settings.public_address,
                            .upstream_interface = settings.upstream_interface,
                            .inner_ip4 = settings.inner_ip4,
                            .rendezvous = *rendezvous,
                            .rendezvous_token = settings.rendezvous_token,
                            .relay = settings.relay,
                            .multicast = settings.multicast,
                            .peers = settings.peers});
  if (!tunnels) {
    return fail(log, tunnels.error().text);
  }
  api::Services services{**household,       api::Logins(crypto, random), api::Throttle(),
                         api::Throttle(60), host_names(settings),        Clock::now()};
  services.logins.restore((*household)->logins(), Clock::now());
  services.metrics_for_all = settings.metrics_for_all;
  Reload reload(file, in_file, [&](const BoxSettings& read) {
    log.set_minimum(read.log_level);
    (*tunnels)->on_multicast_settings(read.multicast);
  });
  services.reload = [&] { return on_loop(loop.io(), std::function([&] { return reload(); })); };
  loop.on_signal(SIGHUP, [&] {
    const auto done = reload();
    log.write(done ? Level::kInfo : Level::kError, "reload",
              {{done ? "text" : "error", done ? done->text : done.error().text}});
  });
  loop.on_signal(SIGUSR1, [&] { dump(log, (*tunnels)->multicast()); });
  api::ApiServer api(loop.io(), log, *worker, services, **tunnels);
  api.on_lan([&tunnels](const http::Request& request, http::Responder responder) {
    (*tunnels)->serve_lan(request, std::move(responder));
  });
  const auto listening = listen(api.server(), settings, *identity, services.host_names);
  if (!listening) {
    return fail(log, listening.error().text);
  }
  const Endpoint https = listening->https;
  services.lan_port = listening->http_port;
  if (settings.web_in_tunnel) {
    (*tunnels)->serve_inside(web_ports(https.port, listening->http_port));
  }

  access::BoxCard card{settings.name, *rendezvous, own_addresses(https)};
  (*household)->set_card(card);
  // What the owner changed, from the worker to the tunnels.
  (*household)->on_change([&loop, &tunnels](const household::Snapshot& snapshot) {
    boost::asio::post(loop.io(), [&tunnels, snapshot] { (*tunnels)->on_snapshot(snapshot); });
  });
  // Once a second, on the worker: what the household does by time, and the addresses that a pairing tells.
  runtime::MachineTimer tick(loop.io(), [&](Time now) {
    card.addresses = own_addresses(https);
    worker->run([&household, now, card] {
      (*household)->set_card(card);
      (*household)->on_deadline(now);
    });
    tick.arm(now + kTick);
  });
  tick.arm(Clock::now() + kTick);
  loop.alive_if([&] { return (*tunnels)->alive() && worker->alive(Clock::now()); });
  loop.on_stop([&] {
    tick.arm(kNever);
    (*tunnels)->stop();
    api.stop();
  });
  if (!(*household)->is_set_up()) {
    log.info("setup_needed", {{"code", (*household)->setup_code()}, {"https", https.to_string()}});
  }
  log.info(
      "started",
      {{"version", HEARTHCAST_VERSION}, {"https", https.to_string()}, {"box", identity->id().to_string()}});
  const int code = loop.run();
  worker.reset();  // before what its jobs use
  return code;
}

}  // namespace hearthcast::app
