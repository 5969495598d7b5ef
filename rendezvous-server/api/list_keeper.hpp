// Keeps the boxes' lists and the operator's directory in the store, off the control thread: what cannot be
// written now is tried again, changes of the directory in their order.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
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
  // done: once the change is on the disk, or could not be written at the first try.
  void keep(Change change, std::function<void(Result<void, Failure>)> done = {});
  // Brings the newest backup up to date, with all that was kept before; its place.
  void back_up(std::function<void(Result<std::filesystem::path, Failure>)> done);
  // False from a write that failed until one that did not.
  [[nodiscard]] bool writes() const;
  void stop();  // no more backups and retries; what is waiting is written

 private:
  struct State;
  // Shared with jobs on the worker and with timers in flight.
  std::shared_ptr<State> state_;
};

}  // namespace hearthcast::rendezvous
