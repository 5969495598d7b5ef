// Media of a sealed session whose device asked for 6in4 or AYIYA instead of GRE (docs/protocol/tunnel.md):
// the datagram's IP packet as it is, or behind an AYIYA header. There is no flow and no number in either, so
// nothing is known to be missing.
//
// AYIYA (wire/ayiya.hpp) without a signature, since the seal has one:
//   0x41 (identity of 16 octets, a number), 0x00 (none), 0x01 (no authentication, forward), next header: 41
//   or 4, epoch time u32, the sender's address in the tunnel: that of the box, fe80::1
#pragma once

#include <cstddef>
#include <cstdint>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/tunnel/compact_framing.hpp"
#include "tunnelmgr/tunnel/form.hpp"

namespace hearthcast::tunnel {

inline constexpr std::size_t kMediaAyiyaSize = 24;  // before the IP packet

// None of these is for kGre.
[[nodiscard]] constexpr MediaForm media_form(Form form) {
  return form == Form::kAyiya ? MediaForm::kAyiya : MediaForm::kSixInFour;
}
[[nodiscard]] constexpr bool is_unnumbered(MediaForm form) {
  return form == MediaForm::kSixInFour || form == MediaForm::kAyiya;
}
// Octets of what a frame of FlowFramer, of that many octets, becomes.
[[nodiscard]] std::size_t unnumbered_size(Form form, std::size_t full);
// What FlowFramer::frame() made, in that form: 6in4 a view into `full`; AYIYA a copy at the begin of `room`,
// which has unnumbered_size() octets and does not overlap `full`. epoch: seconds since 1970, modulo 2^32.
[[nodiscard]] Bytes to_unnumbered(Bytes full, Form form, std::uint32_t epoch, MutableBytes room);

// The IP packet of such a record, a view into it; it is not looked into, beyond its version. Who sent it and
// when the seal vouches for: the identity must be the box's, the time is not compared.
[[nodiscard]] Result<Bytes> open_unnumbered(Bytes record, Form form);

}  // namespace hearthcast::tunnel
