// At which of our own addresses each remote endpoint was heard last. A host with several addresses must
// answer from the one that was asked: a NAT or firewall on the way drops what comes from another.
//
// One thread learns; any thread may look up and forget at the same time, without a lock. The room is fixed:
// endpoints that share a slot push each other out. Who is not known is answered from the address that the
// kernel chooses, which on a host with one address is the same.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::linux {

class ReturnAddresses {
 public:
  // Routes change while both addresses stay: what was not heard for this long is the kernel's to choose.
  static constexpr std::chrono::seconds kLifetime{20};

  ReturnAddresses();

  // Of one family both.
  void learn(const Endpoint& remote, const IpAddress& local, Time now);
  [[nodiscard]] std::optional<IpAddress> find(const Endpoint& remote, Time now) const;
  void forget(const Endpoint& remote);  // that address of ours is no more
  void forget_all();                    // our addresses or routes have changed

 private:
  using Words = std::array<std::uint64_t, 6>;  // remote address, port and family, local address, time
  struct Slot {
    std::atomic<std::uint32_t> version{0};  // odd: being written
    std::atomic<bool> known{false};
    std::array<std::atomic<std::uint64_t>, std::tuple_size_v<Words>> words{};
  };
  [[nodiscard]] static Words pack(const Endpoint& remote, const IpAddress& local, Time now);
  [[nodiscard]] static bool is_of(const Words& words, const Endpoint& remote);
  [[nodiscard]] Slot& slot_of(const Endpoint& remote) const;
  [[nodiscard]] static std::optional<Words> read(const Slot& slot);

  std::unique_ptr<std::array<Slot, 512>> slots_;
};

}  // namespace hearthcast::linux
