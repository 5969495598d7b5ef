// Everything that an owner can change on a box, each change committed before anybody hears of it.
//
// The one door to the store: API and tunnel sessions go through it. Not thread-safe, and slow where the disk
// or a password hash is: the program uses it on the worker thread only, and hands the published snapshots to
// the control thread. A failed write leaves everything as it was.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "appliance/access/access.hpp"
#include "appliance/access/pairing_desk.hpp"
#include "appliance/channels/import.hpp"
#include "appliance/store/password.hpp"
#include "appliance/store/store.hpp"
#include "tunnelmgr/base/log.hpp"

namespace hearthcast::household {

// What the control thread needs to know of the present state. Immutable; copies are cheap.
struct Snapshot {
  std::shared_ptr<const access::Access> access;  // shared with whoever holds the snapshot: it is read-only
  // The open pairing window, to be registered at the rendezvous.
  struct Pairing {
    std::string locator;
    Time closes{};
    friend bool operator==(const Pairing&, const Pairing&) = default;
  };
  std::optional<Pairing> pairing;
};

struct DeviceChange {
  std::optional<std::string> name;
  std::optional<access::DeviceState> state;
  std::optional<access::Grants> grants;
  std::optional<HomeHosts> home_hosts = {};
};

// Why a change was not made.
struct Refused {
  enum class Kind { kNotFound, kInvalid, kStorageFull, kStorage, kTooMany };
  Kind kind = Kind::kInvalid;
  std::string text;   // for people
  std::string field;  // with kInvalid: which
};
[[noreturn]] inline void throw_exception_from_error(const Refused& e, const boost::source_location&) {
  throw std::runtime_error(e.text);
}
template <class T>
using Result = hearthcast::Result<T, Refused>;

struct Tools {  // all outlive the household
  const Crypto& crypto;
  Random& random;
  const Identity& identity;
  Log& log;
  store::PasswordCost password_cost = {};
};

class Household {
 public:
  [[nodiscard]] static sqlite::Result<std::unique_ptr<Household>> open(const std::filesystem::path& directory,
                                                                       Tools tools);

  // Called at once and then after every change, on the thread that changes.
  using Publish = std::function<void(const Snapshot&)>;
  void on_change(Publish publish);
  [[nodiscard]] const Snapshot& snapshot() const { return snapshot_; }
  [[nodiscard]] const access::Access& access() const { return *snapshot_.access; }
  [[nodiscard]] const Identity& identity() const { return tools_.identity; }
  // Four symbols that the device's screen shows, too.
  [[nodiscard]] std::string fingerprint(const access::Device& device) const;

  // What pairing tells a device about this box. Name and addresses change while it runs.
  void set_card(access::BoxCard card) { card_ = std::move(card); }
  [[nodiscard]] const access::BoxCard& card() const { return card_; }

  // ---- the owner ----
  [[nodiscard]] bool is_set_up() const { return owner_.set_up(); }
  [[nodiscard]] const std::string& setup_code() const {
    return owner_.setup_code;
  }  // XXXX-XXXX; empty once used
  [[nodiscard]] bool is_setup_code(std::string_view typed) const;
  [[nodiscard]] bool is_password(std::string_view password) const;  // takes about a tenth of a second, always
  [[nodiscard]] Result<void> set_password(std::string_view password);

  // Who was signed in when that was remembered last. A failure is logged; then nobody was, or a restart will
  // not know.
  [[nodiscard]] std::vector<store::Login> logins();
  void remember_logins(const std::vector<store::Login>& logins);

  // ---- channels ----
  [[nodiscard]] Result<channels::ImportResult> import(const std::vector<channels::ImportLine>& lines);
  [[nodiscard]] Result<void> rename_channel(ChannelId id, std::string_view name);
  [[nodiscard]] Result<void> remove_channel(ChannelId id);

  // ---- devices ----
  [[nodiscard]] Result<void> change_device(DeviceId id, const DeviceChange& change);  // all or nothing
  [[nodiscard]] Result<void> forget_device(DeviceId id);
  // A new LAN link in place of the one it may have (access/lan_link.hpp). The token; it is not kept.
  [[nodiscard]] Result<std::string> make_lan_link(DeviceId id);
  [[nodiscard]] Result<void> drop_lan_link(DeviceId id);  // also when it has none

  // ---- pairing ----
  [[nodiscard]] Result<void> open_pairing(Time now);  // then desk().newest() and invitation()
  [[nodiscard]] Result<void> close_pairing(std::int64_t id, Time now);
  [[nodiscard]] const access::PairingDesk& desk() const { return desk_; }
  // A device's message as JSON to the answer as JSON, however it travelled. kInvalid when it is no such
  // message.
  [[nodiscard]] Result<std::string> pair(std::string_view request, Time now);

  // ---- for the tunnel sessions ----
  [[nodiscard]] sqlite::Result<std::map<DeviceId, store::Contact>> contacts() {
    return store_.load_contacts();
  }
  void remember_contact(DeviceId device, const store::Contact& contact);  // a failure is logged, not returned
  [[nodiscard]] sqlite::Result<store::CounterBlock> reserve_counters(std::uint64_t count,
                                                                     std::uint64_t generation = 0);

  // Expires the pairing window and makes backups: one an hour, and one soon after devices changed. One that
  // failed is tried again after a minute.
  void on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] store::Store& store() { return store_; }  // for tests that fill the disk

 private:
  Household(store::Store store, store::Holdings holdings, store::Owner owner, Tools tools);
  [[nodiscard]] Result<void> ensure_setup_code();
  [[nodiscard]] Result<void> commit(store::Holdings after);
  void publish();
  void back_up(sqlite::Rotate rotate, Time now);

  Tools tools_;
  store::Store store_;
  store::Holdings holdings_;
  store::Owner owner_;
  access::PairingDesk desk_;
  access::BoxCard card_;
  std::shared_ptr<const channels::Catalogue> catalogue_;  // the one in the snapshots
  Snapshot snapshot_;
  Publish publish_;
  Time hourly_backup_ = kNever;  // kNever until the first on_deadline
  Time prompt_backup_ = kNever;
  bool devices_changed_ = false;
};

}  // namespace hearthcast::household
