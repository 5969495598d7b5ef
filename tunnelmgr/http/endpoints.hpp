// Between this project's types and Asio's. Internal to http.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::secure {
class TlsContext;
}

namespace hearthcast::http {

[[nodiscard]] boost::asio::ip::tcp::endpoint asio_endpoint(const Endpoint& endpoint);
[[nodiscard]] Endpoint endpoint_of(
    const boost::asio::ip::tcp::endpoint& endpoint);  // IPv4-mapped becomes IPv4
[[nodiscard]] std::shared_ptr<boost::asio::ssl::context> asio_context(secure::TlsContext& tls);

}  // namespace hearthcast::http
