#include "appliance/household/household.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::household {
namespace {

constexpr std::chrono::hours kBackupInterval{1};
constexpr std::chrono::seconds kPromptBackup{5};  // several ticks in a row make one backup
constexpr std::chrono::minutes kBackupRetry{1};
constexpr std::size_t kSetupCodeSymbols = 8;  // 40 bits, with throttled tries

Refused refused(const sqlite::Error& error) {
  return {error.kind == sqlite::Error::Kind::kFull ? Refused::Kind::kStorageFull : Refused::Kind::kStorage,
          error.text, ""};
}

}  // namespace

sqlite::Result<std::unique_ptr<Household>> Household::open(const std::filesystem::path& directory,
                                                           Tools tools) {
  auto store = store::Store::open(directory);
  if (!store) {
    return store.error();
  }
  auto holdings = store->load();
  if (!holdings) {
    return holdings.error();
  }
  auto owner = store->load_owner();
  if (!owner) {
    return owner.error();
  }
  if (!store->recovery().empty()) {
    tools.log.error("database_recovered", {{"text", store->recovery()}});
  }
  std::unique_ptr<Household> household(
      new Household(std::move(*store), std::move(*holdings), std::move(*owner), tools));
  if (auto made = household->ensure_setup_code(); !made) {
    return sqlite::Error{sqlite::Error::Kind::kUnwritable, made.error().text};
  }
  return household;
}

Household::Household(store::Store store, store::Holdings holdings, store::Owner owner, Tools tools)
    : tools_(tools),
      store_(std::move(store)),
      holdings_(std::move(holdings)),
      owner_(std::move(owner)),
      desk_(tools.crypto, tools.random, tools.identity) {
  publish();
}

Result<void> Household::ensure_setup_code() {
  if (owner_.set_up() || !owner_.setup_code.empty()) {
    return {};
  }
  std::array<std::uint8_t, kSetupCodeSymbols * 5 / 8> secret{};
  tools_.random.fill(secret);
  std::string code = to_crockford(secret, kSetupCodeSymbols);
  code.insert(kSetupCodeSymbols / 2, "-");
  if (auto saved = store_.save_owner({"", code}); !saved) {
    return refused(saved.error());
  }
  owner_.setup_code = std::move(code);
  return {};
}

void Household::on_change(Publish publish) {
  publish_ = std::move(publish);
  publish_(snapshot_);
}

void Household::publish() {
  // Ten thousand channels are copied only when one of them changed.
  if (!catalogue_ || catalogue_->revision() != holdings_.catalogue.revision()) {
    catalogue_ = std::make_shared<const channels::Catalogue>(holdings_.catalogue);
  }
  snapshot_.access = std::make_shared<const access::Access>(
      catalogue_, std::make_shared<const access::DeviceList>(holdings_.devices));
  const auto* invitation = desk_.invitation();
  snapshot_.pairing = invitation == nullptr
                          ? std::nullopt
                          : std::optional(Snapshot::Pairing{invitation->locator, desk_.newest()->closes});
  if (publish_) {
    publish_(snapshot_);
  }
}

Result<void> Household::commit(store::Holdings after) {
  if (auto saved = store_.save(holdings_, after); !saved) {
    tools_.log.error("change_not_saved", {{"error", saved.error().text}});
    return refused(saved.error());
  }
  devices_changed_ = devices_changed_ || holdings_.devices.devices() != after.devices.devices();
  holdings_ = std::move(after);
  publish();
  return {};
}

std::string Household::fingerprint(const access::Device& device) const {
  return signalling::pairing_fingerprint(tools_.crypto, device.public_key, tools_.identity.public_key());
}

bool Household::is_setup_code(std::string_view typed) const {
  const auto wanted = from_crockford(owner_.setup_code);
  const auto given = from_crockford(typed);
  return !owner_.setup_code.empty() && wanted && given && Crypto::equal(*wanted, *given);
}

bool Household::is_password(std::string_view password) const {
  return owner_.set_up() && store::verify_password(owner_.password_hash, password);
}

Result<void> Household::set_password(std::string_view password) {
  store::Owner owner{store::hash_password(tools_.random, password, tools_.password_cost), ""};
  if (auto saved = store_.save_owner(owner); !saved) {
    return refused(saved.error());
  }
  owner_ = std::move(owner);
  devices_changed_ = true;  // worth a prompt backup, too
  return {};
}

std::vector<store::Login> Household::logins() {
  auto logins = store_.load_logins();
  if (!logins) {
    tools_.log.error("logins_not_read", {{"error", logins.error().text}});
    return {};
  }
  return std::move(*logins);
}

void Household::remember_logins(const std::vector<store::Login>& logins) {
  if (auto saved = store_.save_logins(logins); !saved) {
    tools_.log.error("logins_not_saved", {{"error", saved.error().text}});
  }
}

void Household::remember_contact(DeviceId device, const store::Contact& contact) {
  if (auto saved = store_.save_contact(device, contact); !saved) {
    tools_.log.error("contact_not_saved",
                     {{"device", std::to_string(device.value)}, {"error", saved.error().text}});
  }
}

sqlite::Result<store::CounterBlock> Household::reserve_counters(std::uint64_t count,
                                                                std::uint64_t generation) {
  return store_.reserve_counters(count, generation);
}

void Household::on_deadline(Time now) {
  const bool was_open = desk_.invitation() != nullptr;
  desk_.on_deadline(now);
  if (was_open && desk_.invitation() == nullptr) {
    publish();
  }
  if (hourly_backup_ == kNever) {  // the first call: what a restart kept is worth a backup soon
    hourly_backup_ = now + kPromptBackup;
  }
  if (devices_changed_ && prompt_backup_ == kNever) {
    prompt_backup_ = now + kPromptBackup;
  }
  if (now >= hourly_backup_) {
    hourly_backup_ = now + kBackupInterval;
    back_up(sqlite::Rotate::kShift, now);
  } else if (now >= prompt_backup_) {
    back_up(sqlite::Rotate::kReplaceNewest, now);
  }
}

Time Household::next_deadline() const {
  const Time soon = devices_changed_ && prompt_backup_ == kNever ? Time::min() : prompt_backup_;
  return std::min({desk_.next_deadline(), hourly_backup_, soon});
}

void Household::back_up(sqlite::Rotate rotate, Time now) {
  if (auto done = store_.back_up(rotate); !done) {
    tools_.log.warning("backup_failed", {{"error", done.error().text}});
    prompt_backup_ = now + kBackupRetry;
    return;
  }
  prompt_backup_ = kNever;
  devices_changed_ = false;
}

}  // namespace hearthcast::household
