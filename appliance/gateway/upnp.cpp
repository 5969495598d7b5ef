#include "appliance/gateway/upnp.hpp"

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <miniupnpc/upnperrors.h>

#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string>

namespace hearthcast::gateway {
namespace {

constexpr int kDiscoveryMs = 2000;
constexpr int kSameLink = 1;  // hop limit of the question: routers further away are not asked
constexpr int kConflict = 718;
constexpr int kOnlyPermanentLeases = 725;
constexpr const char* kOurs = "Hearthcast";
// Ports to try when the wanted one is another's.
constexpr std::uint16_t kSpares = 4;
constexpr std::uint16_t kSpareStep = 1000;

struct FreeDevices {
  void operator()(UPNPDev* devices) const { freeUPNPDevlist(devices); }
};

// The router's service, ready to be called.
class Service {
 public:
  explicit Service(const UPNPDev& device) {
    std::array<char, 64> own{};
    found_ = UPNP_GetIGDFromUrl(device.descURL, &urls_, &data_, own.data(), own.size()) == 1;
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() {
    if (found_) {
      FreeUPNPUrls(&urls_);
    }
  }
  [[nodiscard]] bool is_for(const IpAddress& router) const {
    return found_ && urls_.controlURL != nullptr && is_of(router, urls_.controlURL) &&
           std::string_view(type()).find(":WAN") != std::string_view::npos;
  }
  [[nodiscard]] const char* control() const { return urls_.controlURL; }
  [[nodiscard]] const char* type() const { return data_.first.servicetype; }

 private:
  UPNPUrls urls_{};
  IGDdatas data_{};
  bool found_ = false;
};

Failure refused(int error) {
  const char* const text = strupnperror(error);
  return Failure{
      "The router refuses by UPnP: " + (text != nullptr ? text : "error " + std::to_string(error)) + "."};
}

std::unique_ptr<Service> find_service(const UpnpPort& wanted) {
  int error = 0;
  const std::string own = wanted.own.to_string();
  const std::unique_ptr<UPNPDev, FreeDevices> devices(
      upnpDiscover(kDiscoveryMs, own.c_str(), "", UPNP_LOCAL_PORT_ANY, 0, kSameLink, &error));
  for (const UPNPDev* device = devices.get(); device != nullptr; device = device->pNext) {
    if (is_of(wanted.router, device->descURL)) {
      auto service = std::make_unique<Service>(*device);
      if (service->is_for(wanted.router)) {
        return service;
      }
    }
  }
  return nullptr;
}

int add(const Service& service, const UpnpPort& wanted, std::uint16_t external, std::chrono::seconds lease) {
  const auto attempt = [&](const std::string& seconds) {
    return UPNP_AddPortMapping(service.control(), service.type(), std::to_string(external).c_str(),
                               std::to_string(wanted.port).c_str(), wanted.own.to_string().c_str(), kOurs,
                               "UDP", nullptr, seconds.c_str());
  };
  const int result = attempt(std::to_string(lease.count()));
  return result == kOnlyPermanentLeases ? attempt("0") : result;  // it is given back when we stop
}

}  // namespace

bool is_of(const IpAddress& router, std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) {
    return false;
  }
  url.remove_prefix(kScheme.size());
  url = url.substr(0, url.find('/'));
  if (const auto colon = url.rfind(':'); colon != std::string_view::npos && router.is_ip4()) {
    url = url.substr(0, colon);
  }
  const auto address = IpAddress::parse(url);
  return address && *address == router;
}

Result<Endpoint, Failure> map_by_upnp(const UpnpPort& wanted, std::chrono::seconds lease) {
  const auto service = find_service(wanted);
  if (!service) {
    return Failure{""};
  }
  std::array<char, 40> text{};
  if (const int error = UPNP_GetExternalIPAddress(service->control(), service->type(), text.data());
      error != UPNPCOMMAND_SUCCESS) {
    return refused(error);
  }
  const auto address = IpAddress::parse(text.data());
  if (!address) {
    return Failure{"The router has no address outside now, it says by UPnP."};
  }
  std::uint16_t external = wanted.external_port != 0 ? wanted.external_port : wanted.port;
  int result = add(*service, wanted, external, lease);
  for (std::uint16_t spare = 1; result == kConflict && spare <= kSpares; ++spare) {
    external = static_cast<std::uint16_t>(20000 + (wanted.port + spare * kSpareStep) % 40000);
    result = add(*service, wanted, external, lease);
  }
  if (result != UPNPCOMMAND_SUCCESS) {
    return refused(result);
  }
  return Endpoint{*address, external};
}

void unmap_by_upnp(const UpnpPort& mapped) {
  if (const auto service = find_service(mapped)) {
    (void)UPNP_DeletePortMapping(service->control(), service->type(),
                                 std::to_string(mapped.external_port).c_str(), "UDP", nullptr);
  }
}

}  // namespace hearthcast::gateway
