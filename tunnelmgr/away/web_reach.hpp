// The control socket's questions about where the box is to be found: /reach and /rendezvous.
#pragma once

#include "tunnelmgr/away/client.hpp"
#include "tunnelmgr/http/message.hpp"

namespace hearthcast::away {

// GET /reach: what is known. POST /reach {"addresses": [HOST[:PORT]...]}: instead of what the owner of this
// device said before. POST /rendezvous {"url", "pin"}: another one introduces.
[[nodiscard]] http::Response answer_reach(Client& client, const http::Request& request);

// What was said of the box of that key, which pairing anew does not forget.
[[nodiscard]] std::vector<tunnel::ReachAddress> manual_of(const Client& client, Bytes public_key);

}  // namespace hearthcast::away
