// GRE towards a kernel peer (RFC 2784, RFC 2890): key, sequence number and checksum exactly as both ends were
// told, as Linux wants them. The numbers count this one peer's packets.
#pragma once

#include "tunnelmgr/tunnel/encapsulation.hpp"

namespace hearthcast::tunnel {

class GreEncapsulation final : public Encapsulation {
 public:
  // After so long without an acceptable packet any number is the first one: the peer has restarted. Linux
  // would wait for ever.
  static constexpr std::chrono::seconds kRestart{30};

  explicit GreEncapsulation(GreSettings settings) : settings_(settings) {}

  [[nodiscard]] std::size_t header_size() const override;
  [[nodiscard]] bool carries(Family) const override { return true; }
  void seal(MutableBytes slot, const Moment& moment) override;
  [[nodiscard]] Result<Opened, Drop> open(Bytes datagram, const Moment& moment) override;

 private:
  [[nodiscard]] bool is_new(std::uint32_t sequence, Time now) const;

  GreSettings settings_;
  std::uint32_t next_ = 0;
  std::optional<std::uint32_t> last_received_;
  Time last_at_{};
};

}  // namespace hearthcast::tunnel
