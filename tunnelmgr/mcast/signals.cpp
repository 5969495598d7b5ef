#include <csignal>

#include "tunnelmgr/mcast/commands.hpp"

namespace hearthcast::mcast {
namespace {

volatile std::sig_atomic_t stop_wished = 0;

}  // namespace

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_wished = 1; };  // no SA_RESTART: a wait ends
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool stopped() { return stop_wished != 0; }

}  // namespace hearthcast::mcast
