#include "rendezvous-server/app/operator_commands.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <thread>
#include <vector>

#include "rendezvous-server/app/ask.hpp"

namespace hearthcast::rendezvous {
namespace {

constexpr std::size_t kShownDigits = 12;  // of a box's id

using Rows = std::vector<std::vector<std::string>>;

// Columns as wide as their widest cell; the last one as it is.
void print(const Rows& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) {
        line.append(widths[i] + 2 - row[i].size(), ' ');
      }
    }
    std::printf("%s\n", line.c_str());
  }
}

std::string or_dash(const nlohmann::json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  return text.empty() ? "-" : text;
}

std::string day(const nlohmann::json& value) {
  if (!value.is_number_integer()) {
    return "never";
  }
  const std::time_t at = value.get<std::int64_t>();
  std::tm parts{};
  std::array<char, 16> text{};
  return ::gmtime_r(&at, &parts) != nullptr && std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts) > 0
             ? text.data()
             : "?";
}

Rows rows_of(const std::string& list, const nlohmann::json& items) {
  if (list == "boxes") {
    Rows rows{{"BOX", "NAME", "OWNER", "STATE"}};
    for (const auto& box : items) {
      const std::string reason = or_dash(box.at("reason"));
      rows.push_back({box.at("box").get<std::string>().substr(0, kShownDigits), or_dash(box.at("name")),
                      or_dash(box.at("owner")),
                      box.at("state").get<std::string>() + (reason == "-" ? "" : ": " + reason)});
    }
    return rows;
  }
  if (list == "owners") {
    Rows rows{{"OWNER", "BOXES"}};
    for (const auto& owner : items) {
      rows.push_back({owner.at("name").get<std::string>(), std::to_string(owner.at("boxes").get<int>())});
    }
    return rows;
  }
  Rows rows{{"TOKEN", "STATE", "USES LEFT", "EXPIRES", "OWNER", "NOTE"}};
  for (const auto& token : items) {
    const auto& uses = token.at("uses_left");
    rows.push_back({std::to_string(token.at("id").get<std::int64_t>()), token.at("state").get<std::string>(),
                    uses.is_null() ? "any" : std::to_string(uses.get<std::int64_t>()),
                    day(token.at("expires_at")), or_dash(token.at("owner")), or_dash(token.at("note"))});
  }
  return rows;
}

}  // namespace

int print_list(const AppSettings& settings, const std::string& list, const std::string& owner, bool json) {
  nlohmann::json answer;
  if (const int code = ask(settings, "GET", "/" + list, {}, answer); code != runtime::kFine) {
    return code;
  }
  nlohmann::json items = nlohmann::json::array();
  for (auto& item : answer.at(list)) {
    if (owner.empty() || item.value("owner", nlohmann::json()) == owner) {
      items.push_back(std::move(item));
    }
  }
  if (json) {
    std::printf("%s\n", nlohmann::json{{list, items}}.dump(2).c_str());
  } else if (items.empty()) {
    std::printf("No %s.\n", list.c_str());
  } else {
    print(rows_of(list, items));
  }
  return runtime::kFine;
}

int change(const AppSettings& settings, const OperatorRequest& request, bool json) {
  nlohmann::json body = nlohmann::json::object();
  for (const auto& [name, text] : request.texts) {
    body[name] = text;
  }
  for (const auto& [name, number] : request.numbers) {
    body[name] = number;
  }
  nlohmann::json answer;
  if (const int code = ask(settings, "POST", request.path, body, answer); code != runtime::kFine) {
    return code;
  }
  if (json) {
    std::printf("%s\n", answer.dump(2).c_str());
  } else if (answer.contains("token")) {
    std::printf("%s\n", answer.value("token", "").c_str());
    std::fprintf(
        stderr,
        "Shown this once: set it as rendezvous.token in the settings of a box that is to be let in.\n");
  } else {
    std::printf("%s\n", answer.value("text", "").c_str());
  }
  return runtime::kFine;
}

int drain(const AppSettings& settings, std::uint64_t over_s, std::uint64_t retry_s, bool wait) {
  const OperatorRequest request{"/drain", {}, {{"over_s", over_s}, {"retry_s", retry_s}}};
  if (const int code = change(settings, request, false); code != runtime::kFine || !wait) {
    return code;
  }
  // As long as was asked for, and then some for what hangs.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{over_s + 30};
  while (std::chrono::steady_clock::now() < end) {
    nlohmann::json status;
    if (const int code = ask(settings, "GET", "/status", {}, status); code != runtime::kFine) {
      return code;
    }
    if (!status.value("draining", false)) {
      std::fprintf(stderr, "hearthcast-rendezvous: somebody has told it to resume\n");
      return runtime::kRefused;
    }
    if (status.value("boxes", 0) + status.value("devices", 0) == 0) {
      std::printf("No client is left. It may be restarted now.\n");
      return runtime::kFine;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{500});
  }
  std::fprintf(stderr, "hearthcast-rendezvous: some clients are still there; a restart cuts them off\n");
  return runtime::kFailed;
}

}  // namespace hearthcast::rendezvous
