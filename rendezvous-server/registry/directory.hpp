// The operator's directory: which boxes may use this rendezvous, whose they are, and the tokens with which
// new ones enrol. It grants nothing: who may ask a box for an introduction stands in the list that the box
// signed.
//
// Pure. Every change is in force at once and is returned, to be stored. A Failure says what is wrong in words
// for the operator, and then nothing has changed.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "rendezvous-server/registry/records.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::rendezvous {

class Directory {
 public:
  // What the store held.
  void load(const Change& records);

  [[nodiscard]] const BoxRecord* find(const IdentityId& box) const;
  [[nodiscard]] const OwnerRecord* find(OwnerId owner) const;
  [[nodiscard]] const std::map<IdentityId, BoxRecord>& boxes() const { return boxes_; }
  [[nodiscard]] std::size_t closed() const;  // boxes that are
  [[nodiscard]] const std::map<OwnerId, OwnerRecord>& owners() const { return owners_; }
  [[nodiscard]] const std::map<TokenId, TokenRecord>& tokens() const { return tokens_; }

  // As an operator writes them: a box by its name or by the first digits of its id, at least six, that no
  // other one has; a whole id need not be known yet. An owner by name.
  [[nodiscard]] Result<IdentityId, Failure> box_called(std::string_view text) const;
  [[nodiscard]] Result<OwnerId, Failure> owner_called(std::string_view name) const;

  // A box that is let in without a token. It must not be known.
  [[nodiscard]] Change enrol(const IdentityId& box, std::int64_t now);
  // With the token that has this hash: it is used up by one. A clock that was set back admits nobody.
  [[nodiscard]] Result<Change, Failure> enrol(const IdentityId& box, const Sha256& token, std::int64_t now);

  [[nodiscard]] Result<Change, Failure> name_box(const IdentityId& box, std::string name);
  [[nodiscard]] Result<Change, Failure> move_box(const IdentityId& box, std::optional<OwnerId> owner);
  // A box that is not known yet may be closed, too: it will not get in.
  [[nodiscard]] Result<Change, Failure> close_box(const IdentityId& box, std::string reason,
                                                  std::int64_t now);
  [[nodiscard]] Result<Change, Failure> open_box(const IdentityId& box);
  // It has to enrol again.
  [[nodiscard]] Result<Change, Failure> forget_box(const IdentityId& box);

  [[nodiscard]] Result<Change, Failure> add_owner(std::string name, std::int64_t now);
  // The owner's boxes and tokens have none afterwards.
  [[nodiscard]] Result<Change, Failure> remove_owner(OwnerId owner);

  // token.id is given here. expires_at has to lie ahead, uses_left above 0.
  [[nodiscard]] Result<Change, Failure> add_token(TokenRecord token);
  [[nodiscard]] Result<Change, Failure> revoke_token(TokenId token);

 private:
  std::map<IdentityId, BoxRecord> boxes_;
  std::map<OwnerId, OwnerRecord> owners_;
  std::map<TokenId, TokenRecord> tokens_;
  std::int64_t last_owner_ = 0;
  std::int64_t last_token_ = 0;
};

}  // namespace hearthcast::rendezvous
