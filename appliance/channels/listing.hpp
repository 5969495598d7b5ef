// Which listings a catalogue takes, and in which form.
#pragma once

#include "appliance/channels/channel.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::channels {

// The listing with a cleaned name (the address when it has none) and bounded attributes. Refused with words
// for people: a group that is not multicast or never leaves a link, port 0, a source that cannot send.
[[nodiscard]] Result<Listing, Failure> check_listing(Listing listing);

}  // namespace hearthcast::channels
