// The operator's requests on the control socket: the directory of boxes, owners and tokens, draining, backup.
// JSON in and out; a refusal is {"text": why}, in words for people.
#pragma once

#include <functional>

#include "rendezvous-server/api/list_keeper.hpp"
#include "rendezvous-server/introduce/service.hpp"
#include "tunnelmgr/http/responder.hpp"

namespace hearthcast::rendezvous {

class Admin {
 public:
  // All of them outlive it. keeper: where to store, or null. unix_time in seconds.
  Admin(Service& service, const Crypto& crypto, Random& random, std::function<std::int64_t()> unix_time,
        std::function<void(Actions)> perform, std::function<ListKeeper*()> keeper);

  // False: the request is none of the operator's. Only for the control socket.
  [[nodiscard]] bool answer(const http::Request& request, const http::Responder& responder);

 private:
  struct Outcome;
  struct Asked;
  Outcome change(const std::string& path, const Asked& asked);
  Outcome boxes(const std::string& what, const Asked& asked);
  Outcome owners(const std::string& what, const Asked& asked);
  Outcome tokens(const std::string& what, const Asked& asked);
  Outcome drain(const Asked& asked);
  void finish(Outcome outcome, const http::Responder& responder);
  void back_up(const http::Responder& responder);

  [[nodiscard]] std::string list_boxes();
  [[nodiscard]] std::string list_owners();
  [[nodiscard]] std::string list_tokens();

  Service& service_;
  const Crypto& crypto_;
  Random& random_;
  std::function<std::int64_t()> unix_time_;
  std::function<void(Actions)> perform_;
  std::function<ListKeeper*()> keeper_;
};

}  // namespace hearthcast::rendezvous
