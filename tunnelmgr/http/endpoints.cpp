#include "tunnelmgr/http/endpoints.hpp"

#include <algorithm>

#include "tunnelmgr/secure/tls_context.hpp"

namespace hearthcast::http {

using boost::asio::ip::tcp;

tcp::endpoint asio_endpoint(const Endpoint& endpoint) {
  const Bytes octets = endpoint.address.bytes();
  if (endpoint.address.is_ip4()) {
    boost::asio::ip::address_v4::bytes_type four{};
    std::copy(octets.begin(), octets.end(), four.begin());
    return {boost::asio::ip::address_v4(four), endpoint.port};
  }
  boost::asio::ip::address_v6::bytes_type sixteen{};
  std::copy(octets.begin(), octets.end(), sixteen.begin());
  return {boost::asio::ip::address_v6(sixteen), endpoint.port};
}

Endpoint endpoint_of(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (address.is_v6() && !address.to_v6().is_v4_mapped()) {
    const auto octets = address.to_v6().to_bytes();
    return {*IpAddress::from_bytes(octets), endpoint.port()};
  }
  const auto four = address.is_v4()
                        ? address.to_v4()
                        : boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  return {IpAddress::ip4(static_cast<std::uint32_t>(four.to_uint())), endpoint.port()};
}

std::shared_ptr<boost::asio::ssl::context> asio_context(secure::TlsContext& tls) {
  SSL_CTX_up_ref(tls.native());  // Asio's context owns one reference
  return std::make_shared<boost::asio::ssl::context>(tls.native());
}

}  // namespace hearthcast::http
