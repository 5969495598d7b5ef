#include "tunnelmgr/linux/return_addresses.hpp"

#include <algorithm>
#include <cstring>

namespace hearthcast::linux {
namespace {

constexpr std::size_t kKey = 3;    // words that name the remote endpoint
constexpr std::size_t kLocal = 3;  // where the local address begins
constexpr std::size_t kTime = 5;

void put(const IpAddress& address, std::uint64_t* words) {
  const Bytes octets = address.bytes();
  std::memcpy(words, octets.data(), octets.size());
}

std::int64_t seconds_of(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

ReturnAddresses::ReturnAddresses() : slots_(std::make_unique<std::array<Slot, 512>>()) {}

ReturnAddresses::Words ReturnAddresses::pack(const Endpoint& remote, const IpAddress& local, Time now) {
  Words words{};
  put(remote.address, words.data());
  words[2] = remote.port | (remote.address.is_ip6() ? std::uint64_t{1} << 16 : 0);
  put(local, words.data() + kLocal);
  words[kTime] = static_cast<std::uint64_t>(seconds_of(now));
  return words;
}

bool ReturnAddresses::is_of(const Words& words, const Endpoint& remote) {
  const Words wanted = pack(remote, {}, {});
  return std::equal(wanted.begin(), wanted.begin() + kKey, words.begin());
}

ReturnAddresses::Slot& ReturnAddresses::slot_of(const Endpoint& remote) const {
  return (*slots_)[std::hash<Endpoint>{}(remote) % slots_->size()];
}

// A sequence lock. Each word is stored with release and loaded with acquire, so whoever sees a new word also
// sees that the version has become odd.
std::optional<ReturnAddresses::Words> ReturnAddresses::read(const Slot& slot) {
  if (!slot.known.load(std::memory_order_acquire)) {
    return std::nullopt;
  }
  const auto version = slot.version.load(std::memory_order_acquire);
  Words words;
  std::transform(slot.words.begin(), slot.words.end(), words.begin(),
                 [](const auto& word) { return word.load(std::memory_order_acquire); });
  if (version % 2 != 0 || slot.version.load(std::memory_order_relaxed) != version) {
    return std::nullopt;  // being written: the kernel chooses this once
  }
  return words;
}

void ReturnAddresses::learn(const Endpoint& remote, const IpAddress& local, Time now) {
  Slot& slot = slot_of(remote);
  const Words words = pack(remote, local, now);
  if (read(slot) == words) {
    return;
  }
  const auto version = slot.version.load(std::memory_order_relaxed);
  slot.version.store(version + 1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < words.size(); ++i) {
    slot.words[i].store(words[i], std::memory_order_release);
  }
  slot.version.store(version + 2, std::memory_order_release);
  slot.known.store(true, std::memory_order_release);
}

std::optional<IpAddress> ReturnAddresses::find(const Endpoint& remote, Time now) const {
  const auto words = read(slot_of(remote));
  if (!words || !is_of(*words, remote) ||
      seconds_of(now) - static_cast<std::int64_t>((*words)[kTime]) > kLifetime.count()) {
    return std::nullopt;
  }
  std::array<std::uint8_t, 16> octets;
  std::memcpy(octets.data(), words->data() + kLocal, octets.size());
  return IpAddress::from_bytes(Bytes(octets).first(remote.address.bytes().size()));
}

void ReturnAddresses::forget(const Endpoint& remote) {
  Slot& slot = slot_of(remote);
  if (const auto words = read(slot); words && is_of(*words, remote)) {
    slot.known.store(false, std::memory_order_release);
  }
}

void ReturnAddresses::forget_all() {
  for (Slot& slot : *slots_) {
    slot.known.store(false, std::memory_order_release);
  }
}

}  // namespace hearthcast::linux
