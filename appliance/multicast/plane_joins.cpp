// Joins of the plane and of the data plane beside it, told to the provider at once.
#include <array>
#include <utility>

#include "appliance/multicast/plane.hpp"
#include "tunnelmgr/base/log.hpp"

namespace hearthcast::multicast {

void Plane::on_usual_upstream(std::optional<unsigned> index, Time now) {
  begin(now);
  usual_index_ = index ? std::optional(proxy::InterfaceIndex{*index}) : std::nullopt;
  review_usual_upstream();
}

// An instance's upstream has a link already, which hears more.
void Plane::review_usual_upstream() {
  const auto* const present = usual_index_ && !closed_ ? interface(*usual_index_) : nullptr;
  const bool wanted =
      present != nullptr && present->multicast && !present->loopback && !upstreams_.contains(*usual_index_);
  if (usual_ && (!wanted || usual_->index != *usual_index_)) {
    usual_.reset();
  }
  if (!wanted || usual_) {
    return;
  }
  auto link = machine_.open_link(present->index, [this](Time now) {
    if (usual_) {
      (void)usual_->link.on_readable(now);  // the version of its querier is all that matters here
    }
  });
  const std::string failure = link ? "" : link.error().text;
  if (std::exchange(usual_failure_, failure) != failure && !failure.empty()) {
    log_.info("joins_told_by_kernel", {{"interface", present->name}, {"error", failure}});
  }
  if (link) {
    (*link)->hear_own_groups_only();
    usual_.emplace(Usual{*usual_index_, UpstreamLink(std::move(*link))});
  }
}

void Plane::on_flow_joined(const FlowKey& key, unsigned index, Time now) {
  begin(now);
  // The plane may have joined the same for the tunnel, and told it.
  const SourceFilter before = machine_.memberships().joined(index, key.group);
  const SourceFilter flow =
      key.source ? SourceFilter{FilterMode::kInclude, {*key.source}} : SourceFilter::any_source();
  on_joined(proxy::InterfaceIndex{index}, key.group, before, merge(std::array{before, flow}));
}

void Plane::on_joined(proxy::InterfaceIndex index, const IpAddress& group, const SourceFilter& before,
                      const SourceFilter& wanted) {
  const auto* const present = interface(index);
  if (present == nullptr) {
    return;
  }
  if (const auto found = upstreams_.find(index); found != upstreams_.end()) {
    found->second.on_joined(*present, group, before, wanted, now_);
  } else if (usual_ && usual_->index == index) {
    usual_->link.on_joined(*present, group, before, wanted, now_);
  }
}

}  // namespace hearthcast::multicast
