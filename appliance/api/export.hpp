// Gives the box away, sealed by a passphrase: to the control socket only.
#pragma once

#include "appliance/api/services.hpp"

namespace hearthcast::api {

http::Response export_box(const Call& call, Services& services);

}  // namespace hearthcast::api
