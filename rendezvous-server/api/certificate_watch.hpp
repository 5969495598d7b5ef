// Looks whether the files of a given certificate have changed, and takes the new one when it is whole: a
// broken one is told and the old one stays. Control thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::rendezvous {

class CertificateWatch {
 public:
  using Handler = std::function<void(secure::TlsContext&)>;

  // The files as they are now are taken for the ones in use. io and log outlive it.
  CertificateWatch(boost::asio::io_context& io, Log& log, std::filesystem::path chain,
                   std::filesystem::path key, Handler changed,
                   std::chrono::milliseconds interval = std::chrono::seconds{10});
  ~CertificateWatch() { stop(); }
  CertificateWatch(const CertificateWatch&) = delete;
  CertificateWatch& operator=(const CertificateWatch&) = delete;

  void check();  // now; changed is called from inside
  void stop();

 private:
  [[nodiscard]] std::string state_of_files() const;
  void check_later();

  Log& log_;
  std::filesystem::path chain_;
  std::filesystem::path key_;
  Handler changed_;
  std::chrono::milliseconds interval_;
  std::string seen_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
};

}  // namespace hearthcast::rendezvous
