#include "rendezvous-server/app/run.hpp"

#include <csignal>
#include <cstdio>
#include <optional>

#include "rendezvous-server/api/certificate_watch.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/linux/folder_lock.hpp"
#include "tunnelmgr/linux/privileges.hpp"
#include "tunnelmgr/runtime/control_loop.hpp"
#include "tunnelmgr/runtime/stderr_log.hpp"
#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::rendezvous {
namespace {

int fail(const Failure& failure) {
  std::fprintf(stderr, "hearthcast-rendezvous: %s\n", failure.text.c_str());
  return runtime::kFailed;
}

constexpr unsigned kBindLowPorts = 10;  // CAP_NET_BIND_SERVICE of capabilities(7)

// Started as root by hand: an ordinary user from here on, who may still bind ports below 1024.
Result<void, Failure> step_down(const AppSettings& s) {
  if (!linux::is_root() || s.run_as.empty()) {
    return boost::system::in_place_value;
  }
  for (const auto& folder : {s.state_dir, s.control_socket.parent_path()}) {
    if (folder == s.state_dir ||
        !std::filesystem::exists(folder)) {  // an existing one is not ours to give away
      if (auto prepared = linux::prepare_folder(folder, s.run_as); !prepared) {
        return prepared;
      }
    }
  }
  return linux::keep_only_capabilities({kBindLowPorts}, s.run_as);
}

Result<secure::TlsContext::Shared, Failure> make_tls(const AppSettings& s) {
  if (s.certificate.empty() != s.key.empty()) {
    return Failure{"tls.certificate and tls.key go together: set both, or neither"};
  }
  if (!s.certificate.empty()) {  // read while root still may
    auto tls = secure::TlsContext::server(s.certificate, s.key);
    if (const auto down = tls ? step_down(s) : Result<void, Failure>(); !down) {
      return down.error();
    }
    return tls;
  }
  if (const auto down = step_down(s); !down) {
    return down.error();
  }
  const auto identity = secure::load_or_make_identity(s.state_dir / "rendezvous.key");
  if (!identity) {
    return identity.error();
  }
  return secure::TlsContext::server(*identity);
}

}  // namespace

int run(const AppSettings& settings) {
  runtime::StderrLog log(settings.log_level);
  const secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  runtime::ControlLoop loop(log);
  auto secret = read_turn_secret(settings);  // while root still may
  if (!secret) {
    return fail(secret.error());
  }
  const auto tls = make_tls(settings);
  if (!tls) {
    return fail(tls.error());
  }
  const auto lock = linux::FolderLock::take(settings.state_dir);
  if (!lock) {
    return fail(lock.error());
  }
  HubSettings hub_of = hub_settings(settings);
  hub_of.policy.relay.secret = std::move(*secret);
  const auto hub = Hub::open(loop.io(), log, crypto, random, *tls, std::move(hub_of));
  if (!hub) {
    return fail(hub.error());
  }
  log.info("listening", {{"wss", (*hub)->listening().to_string()},
                         {"udp", (*hub)->presence().to_string()},
                         {"pin", to_hex(*(*tls)->own_key())}});
  if ((*hub)->health()) {
    log.info("health_listening", {{"http", (*hub)->health()->to_string()}});
  }
  std::optional<CertificateWatch> certificate;
  if (!settings.certificate.empty()) {
    certificate.emplace(loop.io(), log, settings.certificate, settings.key,
                        [&](secure::TlsContext& renewed) { (*hub)->replace_tls(renewed); });
    loop.on_signal(SIGHUP, [&] { certificate->check(); });
  }
  loop.on_stop([&] {
    (*hub)->stop();
    if (certificate) {
      certificate->stop();
    }
  });
  return loop.run();
}

}  // namespace hearthcast::rendezvous
