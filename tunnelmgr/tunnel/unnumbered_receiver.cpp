#include "tunnelmgr/tunnel/unnumbered_receiver.hpp"

#include "tunnelmgr/tunnel/unnumbered_framing.hpp"

namespace hearthcast::tunnel {

std::optional<MediaFrame> UnnumberedReceiver::on_record(Bytes record) {
  if (form_ == Form::kGre) {
    return std::nullopt;
  }
  const auto packet = open_unnumbered(record, form_);
  if (!packet) {
    return std::nullopt;
  }
  auto media = decode_media({InnerKind::kMedia, 0, 0, *packet});
  if (!media) {
    return std::nullopt;
  }
  const Path path{media->header.source, media->header.destination};
  if (flows_.size() >= kMaxFlows && !flows_.contains(path)) {
    flows_.clear();
  }
  const auto [at, is_new] = flows_.try_emplace(path);
  if (is_new) {
    at->second.id = FlowId{++last_id_};
  }
  media->flow = at->second.id;
  media->sequence = at->second.next++;
  return *media;
}

}  // namespace hearthcast::tunnel
