// Self-signed certificates of identity keys. Only the key in them counts: peers compare it with a pin. Valid
// from 1970 to 9999, because a box without a clock boots in 1970.
#pragma once

#include <string>
#include <vector>

#include "tunnelmgr/secure/handles.hpp"
#include "tunnelmgr/secure/identity.hpp"

namespace hearthcast::secure {

// names: host names and IP addresses for subjectAltName, so that a browser can accept it. Null only when
// OpenSSL is out of memory.
[[nodiscard]] CertificateHandle make_certificate(const OpenSslIdentity& identity,
                                                 const std::vector<std::string>& names = {});

}  // namespace hearthcast::secure
