// Keeps the boxes' lists in the store, off the control thread: what cannot be written now is tried again.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>

#include "rendezvous-server/store/store.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/runtime/worker.hpp"

namespace hearthcast::rendezvous {

class ListKeeper {
 public:
  ListKeeper(boost::asio::io_context& io, Log& log, Store store);
  ~ListKeeper();  // waits for the write in hand, and writes what is left itself
  ListKeeper(const ListKeeper&) = delete;
  ListKeeper& operator=(const ListKeeper&) = delete;

  void keep(AllowRecord record);  // the last one of each box counts
  void stop();                    // no more backups and retries; what is waiting is written

 private:
  struct State;
  // Shared with jobs on the worker and with timers in flight.
  std::shared_ptr<State> state_;
};

}  // namespace hearthcast::rendezvous
