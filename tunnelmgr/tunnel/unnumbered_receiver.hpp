// The away side of media without numbers (unnumbered_framing.hpp): finds a datagram's flow by its addresses,
// and numbers what comes in the order in which it comes, so that whoever takes media sees no gap. One per
// session or data thread.
//
// Bounded: of kMaxFlows flows one more makes it forget all; they begin anew under other numbers. Memory is
// taken for each new flow, never per packet after that. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/form.hpp"

namespace hearthcast::tunnel {

class UnnumberedReceiver {
 public:
  static constexpr std::size_t kMaxFlows = 1024;

  // What the present session asked for. kGre: nothing comes without numbers.
  void expect(Form form) { form_ = form; }
  [[nodiscard]] Form form() const { return form_; }

  // A record that is no GRE packet: its datagram, or nothing when it is none of the expected form. The
  // payload is a view into the record.
  [[nodiscard]] std::optional<MediaFrame> on_record(Bytes record);

 private:
  struct Path {
    Endpoint source;
    Endpoint group;
    friend bool operator==(const Path&, const Path&) = default;
  };
  struct HashPath {
    std::size_t operator()(const Path& path) const noexcept {
      return std::hash<Endpoint>{}(path.source) * 31 + std::hash<Endpoint>{}(path.group);
    }
  };
  struct Flow {
    FlowId id;
    std::uint32_t next = 0;
  };

  Form form_ = Form::kGre;
  std::unordered_map<Path, Flow, HashPath> flows_;
  std::int64_t last_id_ = 0;
};

}  // namespace hearthcast::tunnel
