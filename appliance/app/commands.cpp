#include "appliance/app/commands.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "appliance/app/control_client.hpp"
#include "appliance/app/print.hpp"
#include "appliance/app/read_password.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace hearthcast::app {
namespace {

using nlohmann::json;

using Print = std::function<std::string(const json&)>;

int ask_and_print(const Asker& asker, const Asking& asking, const Print& print) {
  const auto answer = ask(asker.control_socket, asking);
  if (!answer) {
    std::cerr << "hearthcast-box: " << answer.error().text << "\n";
    return answer.error().exit_code;
  }
  if (asker.json) {
    std::cout << (answer->empty() ? "{}" : *answer) << "\n";
    return runtime::kFine;
  }
  const auto parsed = answer->empty() ? json::object() : json::parse(*answer, nullptr, false);
  if (parsed.is_discarded()) {
    std::cerr << "hearthcast-box: the box gave an answer that is no JSON\n";
    return runtime::kFailed;
  }
  std::cout << print(parsed);
  return runtime::kFine;
}

// For what answers with nothing to read.
Print say(std::string text) {
  return [text = std::move(text)](const json&) { return text + "\n"; };
}

int wrong_usage(const std::string& text) {
  std::cerr << "hearthcast-box: " << text << "\n";
  return runtime::kWrongUsage;
}

int change(const Asker& asker, std::int64_t device, const json& change) {
  return ask_and_print(asker, {"PATCH", "/devices/" + std::to_string(device), change.dump()}, print_device);
}

std::vector<std::string> split_hosts(std::string_view hosts) {
  std::vector<std::string> all;
  for (std::string_view rest = hosts == "none" ? "" : hosts; !rest.empty();) {
    const auto end = std::min(rest.find(','), rest.size());
    std::string host(rest.substr(0, end));
    std::erase(host, ' ');
    if (!host.empty()) {
      all.push_back(std::move(host));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return all;
}

}  // namespace

int show_status(const Asker& asker) { return ask_and_print(asker, {.path = "/status"}, print_status); }

int show_setup_code(const Asker& asker) {
  return ask_and_print(asker, {.path = "/setup/code"},
                       [](const json& answer) { return answer.value("setup_code", "") + "\n"; });
}

int change_password(const Asker& asker) {
  const auto password = read_password("New password: ");
  if (!password) {
    return wrong_usage("no password was given on standard input");
  }
  return ask_and_print(asker, {"PUT", "/password", json{{"new_password", *password}}.dump()},
                       say("The password is changed. Who was signed in has to sign in again."));
}

int show_channels(const Asker& asker) { return ask_and_print(asker, {.path = "/channels"}, print_channels); }

int rename_channel(const Asker& asker, std::int64_t channel, const std::string& name) {
  return ask_and_print(asker, {"PATCH", "/channels/" + std::to_string(channel), json{{"name", name}}.dump()},
                       say("The channel has its new name."));
}

int remove_channel(const Asker& asker, std::int64_t channel) {
  return ask_and_print(asker, {"DELETE", "/channels/" + std::to_string(channel)},
                       say("The channel is gone, from every device's list too. Who watched it is cut off."));
}

int import_file(const Asker& asker, const std::string& file) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
      return wrong_usage("the file " + file + " cannot be read");
    }
    text.assign(std::istreambuf_iterator<char>(stream), {});
  }
  return ask_and_print(asker, {"POST", "/playlist", text.empty() ? "\n" : text, "audio/x-mpegurl"},
                       print_import);
}

int open_pairing(const Asker& asker) {
  return ask_and_print(asker, {"POST", "/pairings", "{}"}, print_pairing);
}

int show_pairings(const Asker& asker) { return ask_and_print(asker, {.path = "/pairings"}, print_pairings); }

int close_pairings(const Asker& asker) {
  const auto open = ask(asker.control_socket, {.path = "/pairings"});
  if (!open) {
    std::cerr << "hearthcast-box: " << open.error().text << "\n";
    return open.error().exit_code;
  }
  const auto list = json::parse(*open, nullptr, false);
  const auto pairings = list.is_object() ? list.value("pairings", json::array()) : json::array();
  for (const json& pairing : pairings) {
    const std::string id = std::to_string(pairing.value("id", std::int64_t{0}));
    if (const int failed = ask_and_print(asker, {"DELETE", "/pairings/" + id},
                                         say("Closed: its link and its code let nobody in any more."))) {
      return failed;
    }
  }
  if (pairings.empty()) {
    std::cout << (asker.json ? "{}\n" : "None is open.\n");
  }
  return runtime::kFine;
}

int show_devices(const Asker& asker) { return ask_and_print(asker, {.path = "/devices"}, print_devices); }

int approve(const Asker& asker, std::int64_t device, const std::string& channels) {
  json wanted = {{"state", "approved"}};
  if (!channels.empty()) {
    const auto list = parse_channel_list(channels);
    if (!list) {
      return wrong_usage("--channels is \"all\" or numbers separated by commas, as 1,2,5");
    }
    wanted["channels"] = *list;
  }
  return change(asker, device, wanted);
}

int grant(const Asker& asker, std::int64_t device, const std::string& channels) {
  const auto list = parse_channel_list(channels);
  return list ? change(asker, device, {{"channels", *list}})
              : wrong_usage("channels are \"all\", \"none\" or numbers separated by commas, as 1,2,5");
}

int set_home_hosts(const Asker& asker, std::int64_t device, const std::string& hosts) {
  return change(asker, device, {{"home_hosts", split_hosts(hosts)}});
}

int rename_device(const Asker& asker, std::int64_t device, const std::string& name) {
  return change(asker, device, {{"name", name}});
}

int revoke(const Asker& asker, std::int64_t device) { return change(asker, device, {{"state", "revoked"}}); }

int forget(const Asker& asker, std::int64_t device) {
  return ask_and_print(asker, {"DELETE", "/devices/" + std::to_string(device)},
                       say("The device is forgotten. To come back it has to pair again."));
}

int make_lan_link(const Asker& asker, std::int64_t device) {
  return ask_and_print(asker, {"POST", "/devices/" + std::to_string(device) + "/lan-link", "{}"},
                       print_lan_link);
}

int drop_lan_link(const Asker& asker, std::int64_t device) {
  return ask_and_print(asker, {"DELETE", "/devices/" + std::to_string(device) + "/lan-link"},
                       say("The LAN link is gone. Players that used it are being cut off."));
}

int show_viewers(const Asker& asker) { return ask_and_print(asker, {.path = "/viewers"}, print_viewers); }

int show_peers(const Asker& asker) { return ask_and_print(asker, {.path = "/peers"}, print_peers); }

int show_multicast(const Asker& asker) {
  return ask_and_print(asker, {.path = "/multicast"}, print_multicast);
}

int reload(const Asker& asker) {
  return ask_and_print(asker, {"POST", "/reload", "{}"},
                       [](const json& answer) { return answer.value("text", "") + "\n"; });
}

}  // namespace hearthcast::app
