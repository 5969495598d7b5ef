// Watches a channel's datagrams go by: are they a transport stream, is it whole.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/wire/ts_continuity.hpp"

namespace hearthcast::playout {

class StreamCheck {
 public:
  void on_datagram(Bytes datagram);

  [[nodiscard]] std::uint64_t continuity_errors() const { return continuity_.errors(); }
  [[nodiscard]] std::uint64_t foreign() const { return foreign_; }  // datagrams that are no transport stream
  [[nodiscard]] bool rtp() const { return rtp_; }                   // the last one had an RTP header

 private:
  wire::TsContinuity continuity_;
  std::uint64_t foreign_ = 0;
  bool rtp_ = false;
};

}  // namespace hearthcast::playout
