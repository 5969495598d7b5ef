// What a TLS client says before anything is answered: which protocols it offers (ALPN, RFC 7301 section 3.1).
// For a server that leads some of its clients elsewhere without opening what they say. OpenSSL reads the
// octets; nothing is sent. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::secure {

class ClientHello {
 public:
  enum class State {
    kMore,   // the rest of it is still to come
    kWhole,  // protocols() are known
    kWrong,  // what came is no ClientHello
  };

  ClientHello();
  ~ClientHello();
  ClientHello(const ClientHello&) = delete;
  ClientHello& operator=(const ClientHello&) = delete;

  // Octets as they came, in pieces of any size. Once it is whole or wrong nothing is read any more.
  State put(Bytes octets);
  [[nodiscard]] State state() const;
  [[nodiscard]] bool offers(std::string_view protocol) const;

 private:
  struct Reading;
  std::unique_ptr<Reading> reading_;
};

}  // namespace hearthcast::secure
