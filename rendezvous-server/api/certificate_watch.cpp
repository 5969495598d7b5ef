#include "rendezvous-server/api/certificate_watch.hpp"

#include <utility>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::rendezvous {

CertificateWatch::CertificateWatch(boost::asio::io_context& io, Log& log, std::filesystem::path chain,
                                   std::filesystem::path key, Handler changed,
                                   std::chrono::milliseconds interval)
    : log_(log),
      chain_(std::move(chain)),
      key_(std::move(key)),
      changed_(std::move(changed)),
      interval_(interval),
      seen_(state_of_files()),
      timer_(io) {
  check_later();
}

// By size and time, through links: what renews certificates writes new files and moves links to them.
std::string CertificateWatch::state_of_files() const {
  std::string state;
  for (const auto& file : {chain_, key_}) {
    std::error_code gone;
    const auto written = std::filesystem::last_write_time(file, gone);
    const auto real = std::filesystem::canonical(file, gone);
    const auto size = std::filesystem::file_size(file, gone);
    state += gone ? "gone\n"
                  : real.string() + " " + std::to_string(written.time_since_epoch().count()) + " " +
                        std::to_string(size) + "\n";
  }
  return state;
}

void CertificateWatch::check() {
  auto state = state_of_files();
  if (state == seen_) {
    return;
  }
  seen_ = std::move(state);
  const auto tls = secure::TlsContext::server(chain_, key_);
  if (!tls) {
    log_.warning("certificate_not_reloaded", {{"error", tls.error().text + "; the one before stays in use"}});
    return;
  }
  changed_(**tls);
  log_.info("certificate_reloaded", {{"file", chain_.string()}, {"pin", to_hex(*(*tls)->own_key())}});
}

void CertificateWatch::check_later() {
  timer_.expires_after(interval_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopped_) {
      check();
      check_later();
    }
  });
}

void CertificateWatch::stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace hearthcast::rendezvous
