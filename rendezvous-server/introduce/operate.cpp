// The part of the service that its operator decides: who is let in, who is sent away, and the server's end.
#include "rendezvous-server/introduce/service.hpp"

namespace hearthcast::rendezvous {

using signalling::ErrorCode;

namespace {

constexpr const char* kDrainingText = "the rendezvous is about to restart";

std::string closed_text(const std::string& reason) {
  return "the operator of this rendezvous has closed this box: " + reason;
}

}  // namespace

bool Service::is_proven(const signalling::Hello& hello, const Guest& guest) const {
  const auto signed_for = [&](const Sha256& key) {
    return crypto_.verify(hello.public_key, signalling::hello_signature_input(guest.nonce, key),
                          hello.signature);
  };
  return signed_for(server_key_) || (last_server_key_ != server_key_ && signed_for(last_server_key_));
}

void Service::set_server_key(const Sha256& key) { last_server_key_ = std::exchange(server_key_, key); }

bool Service::admit(SessionId id, const signalling::Hello& hello, const Guest& guest, Time now,
                    Actions& out) {
  const IdentityId box{crypto_.sha256(hello.public_key)};
  const auto refuse = [&](ErrorCode code, const std::string& text) {
    ++counters_.not_enrolled;
    drop(id, code, text + (policy_.contact.empty() ? "" : " (" + policy_.contact + ")"), out);
    return false;
  };
  if (const BoxRecord* const record = directory_.find(box)) {
    return record->closed ? refuse(ErrorCode::kClosed, closed_text(*record->closed)) : true;
  }
  const bool open = policy_.enrolment == Enrolment::kOpen;
  if (policy_.enrolment == Enrolment::kClosed) {
    return refuse(
        ErrorCode::kNotEnrolled,
        "this rendezvous takes no new boxes; ask its operator, or set another one in rendezvous.url");
  }
  if (hello.enrolment.empty()) {
    return open ||
           refuse(ErrorCode::kNotEnrolled,
                  "this rendezvous takes new boxes only with an enrolment token; ask its operator for "
                  "one and set it as rendezvous.token in the box's settings");
  }
  if (directory_.boxes().size() >= policy_.max_boxes ||
      !new_boxes_.take(source_prefix(guest.from.address), now)) {
    if (open) {  // it may come in, and is refused with its list
      return true;
    }
    ++counters_.limited;
    drop(id, ErrorCode::kRate,
         "this rendezvous takes no more new boxes from this address now; it tries again by itself", out);
    return false;
  }
  auto change = directory_.enrol(box, crypto_.sha256(as_bytes(hello.enrolment)), policy_.unix_time());
  if (!change) {
    return open ||
           refuse(
               ErrorCode::kNotEnrolled,
               change.error().text +
                   "; ask its operator for a new one and set it as rendezvous.token in the box's settings");
  }
  ++counters_.enrolled;
  out.push_back(StoreChange{std::move(*change)});
  return true;
}

Actions Service::on_box_changed(const IdentityId& box) {
  Actions out;
  const BoxRecord* const record = directory_.find(box);
  if (record == nullptr) {
    allow_lists_.forget(box);
  }
  if (record == nullptr || record->closed) {
    quiet_.remove(box);
  }
  const Session* const session = registry_.find_box(box);
  if (session == nullptr || (record != nullptr && !record->closed)) {
    return out;
  }
  if (record == nullptr) {
    drop(session->id, ErrorCode::kNotEnrolled, "the operator of this rendezvous has forgotten this box", out);
  } else {
    drop(session->id, ErrorCode::kClosed, closed_text(*record->closed), out);
  }
  return out;
}

void Service::send_away(SessionId id, Actions& out) {
  drop(id, ErrorCode::kDraining, kDrainingText, out, drain_->retry_s);
}

Actions Service::drain(Duration over, std::uint32_t retry_s, Time now) {
  Actions out;
  const auto here =
      static_cast<std::int64_t>(std::max<std::size_t>(registry_.boxes() + registry_.devices(), 1));
  drain_ = Drain{over / here, std::min(retry_s, signalling::kMaxRetry), now};
  while (!guests_.empty()) {
    send_away(guests_.begin()->first, out);
  }
  return out;
}

}  // namespace hearthcast::rendezvous
