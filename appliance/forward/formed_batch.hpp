// One batch of a flow's datagrams in every form that its viewers need: each form is made once, when the first
// viewer asks for it, whatever their number. Data thread only; allocates when the first compact packet is
// made, and never after that.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "tunnelmgr/datapath/segment_sender.hpp"
#include "tunnelmgr/tunnel/compact_framing.hpp"
#include "tunnelmgr/tunnel/form.hpp"

namespace hearthcast::forward {

class FormedBatch {
 public:
  // Of so many numbers of a flow one goes in fragments, which name its addresses, where one piece would do.
  static constexpr std::uint32_t kTellEvery = 32;

  // At most kMaxBatch full frames of one flow, which stay where they are while this is asked. tell: the first
  // datagram names the addresses in any compact form.
  void begin(std::span<const Bytes> full, bool tell);

  // What a viewer gets whose path carries GRE packets of `limit` octets: at most twice kMaxBatch, in order.
  // Valid until the next call.
  [[nodiscard]] std::span<const Bytes> for_limit(std::size_t limit);
  // The same datagrams without numbers, each as one packet; none when one of them has more than `limit`
  // octets so. `form` is not kGre. Valid until the next begin().
  [[nodiscard]] std::span<const Bytes> unnumbered(tunnel::Form form, std::size_t limit);
  // Of the last datagram of the last for_limit(), whether or not it also names the addresses.
  [[nodiscard]] tunnel::MediaForm form() const { return form_; }

 private:
  [[nodiscard]] tunnel::MediaForm form_of(std::size_t index, std::size_t limit) const;
  [[nodiscard]] bool tells(std::size_t index) const;
  const tunnel::CompactPackets& made(std::size_t index, tunnel::MediaForm form);

  struct Datagram {
    tunnel::FullFrame facts;
    std::array<tunnel::CompactPackets, 2> compact;  // in one piece, in fragments; none: not made yet
  };
  std::span<const Bytes> full_;
  std::size_t largest_ = 0;
  bool tell_ = false;
  bool looked_ = false;  // the facts of this batch are there
  std::array<Datagram, datapath::kMaxBatch> datagrams_;
  std::array<Bytes, 2 * datapath::kMaxBatch> chosen_;
  std::size_t chosen_count_ = 0;
  std::size_t chosen_limit_ = 0;
  tunnel::MediaForm chosen_form_ = tunnel::MediaForm::kFull;
  tunnel::MediaForm form_ = tunnel::MediaForm::kFull;
  Buffer room_;  // two forms of each datagram
  struct Unnumbered {
    std::array<Bytes, datapath::kMaxBatch> packets;
    bool made = false;  // of this batch
  };
  std::array<Unnumbered, 2> unnumbered_;  // 6in4, AYIYA
  Buffer ayiya_room_;
};

}  // namespace hearthcast::forward
