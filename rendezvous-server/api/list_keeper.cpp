#include "rendezvous-server/api/list_keeper.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace hearthcast::rendezvous {
namespace {

constexpr std::chrono::seconds kRetry{30};
constexpr std::chrono::hours kBackup{1};

struct Kept {
  Change change;
  std::function<void(Result<void, Failure>)> done;
};

struct Written {
  std::vector<AllowRecord> failed;
  std::vector<Kept> changes;     // all that were to be written
  std::size_t changes_done = 0;  // so many of them are
  std::string error;
};

}  // namespace

struct ListKeeper::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& io, Log& l, Store s)
      : log(l), store(std::move(s)), worker(std::in_place, io), retry(io), backup(io) {}

  Log& log;
  Store store;  // the worker's
  std::optional<runtime::Worker> worker;
  boost::asio::steady_timer retry;
  boost::asio::steady_timer backup;
  std::map<IdentityId, AllowRecord> waiting;
  std::vector<Kept> changes;  // in their order
  bool failing = false;
  bool writing = false;
  bool stopped = false;

  void write() {
    if (writing || (waiting.empty() && changes.empty()) || !worker) {
      return;
    }
    writing = true;
    std::vector<AllowRecord> records;
    for (auto& [box, record] : std::exchange(waiting, {})) {
      records.push_back(std::move(record));
    }
    worker->submit(
        [self = shared_from_this(), records = std::move(records),
         changes = std::exchange(this->changes, {})]() mutable {
          Written written;
          self->write_changes(changes, written);
          written.changes = std::move(changes);
          for (const AllowRecord& record : records) {
            if (const auto saved = self->store.save(record); !saved) {
              written.failed.push_back(record);
              written.error = saved.error().text;
            }
          }
          return written;
        },
        [self = shared_from_this()](Written written) { self->on_written(std::move(written)); });
  }

  // On the worker. The first one that fails holds up those behind it: they may need it.
  void write_changes(const std::vector<Kept>& all, Written& written) {
    for (const Kept& kept : all) {
      if (const auto saved = store.save(kept.change); !saved) {
        written.error = saved.error().text;
        return;
      }
      ++written.changes_done;
    }
  }

  void on_written(Written written) {
    writing = false;
    std::vector<Kept> left;
    for (std::size_t i = 0; i < written.changes.size(); ++i) {
      Kept& kept = written.changes[i];
      const bool fine = i < written.changes_done;
      if (const auto done = std::exchange(kept.done, {})) {
        done(fine ? Result<void, Failure>(boost::system::in_place_value) : Failure{written.error});
      }
      if (!fine) {
        left.push_back(std::move(kept));
      }
    }
    failing = !left.empty() || !written.failed.empty();
    changes.insert(changes.begin(), std::make_move_iterator(left.begin()),
                   std::make_move_iterator(left.end()));
    if (!failing) {
      write();
      return;
    }
    log.warning(written.failed.empty() ? "directory_not_stored" : "allow_list_not_stored",
                {{"error", written.error}});
    for (AllowRecord& record : written.failed) {
      const IdentityId box = record.box;
      waiting.try_emplace(box, std::move(record));  // a newer one that came meanwhile stays
    }
    if (!stopped) {
      retry.expires_after(kRetry);
      retry.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (!error) {
          self->write();
        }
      });
    }
  }

  void back_up_later() {
    backup.expires_after(kBackup);
    backup.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->stopped) {
        return;
      }
      self->worker->submit([self] { return self->store.back_up(); },
                           [self](const Result<void, Failure>& done) {
                             if (!done) {
                               self->log.warning("backup_failed", {{"error", done.error().text}});
                             }
                           });
      self->back_up_later();
    });
  }
};

ListKeeper::ListKeeper(boost::asio::io_context& io, Log& log, Store store)
    : state_(std::make_shared<State>(io, log, std::move(store))) {
  state_->back_up_later();
}

ListKeeper::~ListKeeper() {
  stop();
  state_->worker.reset();
  Written last;
  state_->write_changes(state_->changes, last);
  if (last.changes_done < state_->changes.size()) {
    state_->log.warning("directory_not_stored", {{"error", last.error}});
  }
  state_->changes.clear();
  for (const auto& [box, record] : std::exchange(state_->waiting, {})) {  // what came while it was writing
    if (const auto saved = state_->store.save(record); !saved) {
      state_->log.warning("allow_list_not_stored", {{"error", saved.error().text}});
    }
  }
}

void ListKeeper::keep(AllowRecord record) {
  const IdentityId box = record.box;
  state_->waiting.insert_or_assign(box, std::move(record));
  state_->write();
}

void ListKeeper::keep(Change change, std::function<void(Result<void, Failure>)> done) {
  state_->changes.push_back({std::move(change), std::move(done)});
  state_->write();
}

void ListKeeper::back_up(std::function<void(Result<std::filesystem::path, Failure>)> done) {
  state_->write();
  state_->worker->submit(
      [self = state_] { return self->store.refresh_backup(); },
      [done = std::move(done)](Result<std::filesystem::path, Failure> at) { done(std::move(at)); });
}

bool ListKeeper::writes() const { return !state_->failing; }

void ListKeeper::stop() {
  state_->stopped = true;
  state_->retry.cancel();
  state_->backup.cancel();
  state_->write();
}

}  // namespace hearthcast::rendezvous
