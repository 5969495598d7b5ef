#include "appliance/store/store.hpp"

#include <algorithm>
#include <utility>

#include "appliance/store/channel_table.hpp"
#include "appliance/store/device_table.hpp"
#include "appliance/store/generation.hpp"
#include "appliance/store/schema.hpp"
#include "appliance/store/settings_table.hpp"

namespace hearthcast::store {
namespace {

constexpr std::string_view kPasswordHash = "password_hash";
constexpr std::string_view kSetupCode = "setup_code";
constexpr std::string_view kGeneration = "introduction_generation";
constexpr std::string_view kNextCounter = "introduction_counter";

// Far beyond what an hour of changes since the backup can have reached.
constexpr std::int64_t kRevisionGap = 1'000'000;

// Runs `work` in a transaction and returns what it made, unless a statement or the commit failed.
template <class Work>
auto in_transaction(sqlite::Database& database, Work work)
    -> Result<decltype(work(std::declval<sqlite::Transaction&>()))> {
  sqlite::Transaction transaction(database);
  auto made = work(transaction);
  if (auto done = transaction.commit(); !done) {
    return done.error();
  }
  return made;
}

}  // namespace

Store::Store(sqlite::Durable durable)
    : database_(std::move(durable.database)), recovery_(std::move(durable.text)) {}

Result<Store> Store::open(const std::filesystem::path& directory, std::chrono::system_clock::time_point now) {
  auto durable = sqlite::open_durable(directory / "box.sqlite", schema());
  if (!durable) {
    return durable.error();
  }
  const bool restored = durable->origin == sqlite::Durable::Origin::kRestored;
  Store store(std::move(*durable));
  if (restored) {
    if (auto done = store.rise_after_restore(now); !done) {
      return done.error();
    }
  }
  return store;
}

Result<void> Store::rise_after_restore(std::chrono::system_clock::time_point now) {
  sqlite::Transaction t(database_);
  const std::int64_t generation =
      std::min(kMaxGeneration, std::max(read_number(t, kGeneration, 1) + 1, generation_at(now).value_or(0)));
  write_number(t, kGeneration, generation);
  write_number(t, kNextCounter, 1);
  for (const std::string_view revision : {"catalogue_revision", "device_list_revision"}) {
    write_number(t, revision,
                 std::max(read_number(t, revision, 1), generation * kRevisionGap) + kRevisionGap);
  }
  write_logins(t, {});
  return t.commit();
}

Result<Holdings> Store::load() {
  return in_transaction(database_, [](sqlite::Transaction& t) {
    return Holdings{read_catalogue(t), read_devices(t)};
  });
}

Result<void> Store::save(const Holdings& before, const Holdings& after) {
  sqlite::Transaction t(database_);
  write_catalogue(t, before.catalogue, after.catalogue);
  write_devices(t, before.devices, after.devices);
  return t.commit();
}

Result<Owner> Store::load_owner() {
  return in_transaction(database_, [](sqlite::Transaction& t) {
    return Owner{read_setting(t, kPasswordHash).value_or(""), read_setting(t, kSetupCode).value_or("")};
  });
}

Result<void> Store::save_owner(const Owner& owner) {
  sqlite::Transaction t(database_);
  write_setting(t, kPasswordHash, owner.password_hash);
  write_setting(t, kSetupCode, owner.setup_code);
  return t.commit();
}

Result<std::map<DeviceId, Contact>> Store::load_contacts() {
  return in_transaction(database_, [](sqlite::Transaction& t) { return read_contacts(t); });
}

Result<void> Store::save_contact(DeviceId device, const Contact& contact) {
  sqlite::Transaction t(database_);
  write_contact(t, device, contact);
  return t.commit();
}

Result<std::vector<Login>> Store::load_logins() {
  return in_transaction(database_, [](sqlite::Transaction& t) { return read_logins(t); });
}

Result<void> Store::save_logins(const std::vector<Login>& logins) {
  sqlite::Transaction t(database_);
  write_logins(t, logins);
  return t.commit();
}

Result<CounterBlock> Store::reserve_counters(std::uint64_t count, std::uint64_t generation) {
  return in_transaction(database_, [count, generation](sqlite::Transaction& t) {
    const auto present = static_cast<std::uint64_t>(read_number(t, kGeneration, 1));
    const bool rises = generation > present;
    const auto first = rises ? 1 : static_cast<std::uint64_t>(read_number(t, kNextCounter, 1));
    if (rises) {
      write_number(t, kGeneration, static_cast<std::int64_t>(generation));
    }
    write_number(t, kNextCounter, static_cast<std::int64_t>(first + count));
    return CounterBlock{std::max(present, generation), first};
  });
}

}  // namespace hearthcast::store
