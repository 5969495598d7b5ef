#include "tests/bench/report.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace hearthcast::bench {
namespace {

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name") && line.find(": ") != std::string::npos) {
      return line.substr(line.find(": ") + 2);
    }
  }
  return "unknown";
}

}  // namespace

double Samples::best() const { return values.empty() ? 0 : *std::ranges::min_element(values); }

double Samples::median() const {
  if (values.empty()) {
    return 0;
  }
  std::vector<double> sorted = values;
  std::ranges::sort(sorted);
  return sorted[sorted.size() / 2];
}

double Samples::spread() const {
  const double middle = median();
  return middle == 0 ? 0 : (*std::ranges::max_element(values) - best()) / middle;
}

Samples ratio(const Samples& a, const Samples& b) {
  Samples out;
  for (std::size_t i = 0; i < std::min(a.values.size(), b.values.size()); ++i) {
    out.add(a.values[i] / b.values[i]);
  }
  return out;
}

void Report::note(const std::string& key, const std::string& value) { notes_.emplace_back(key, value); }

void Report::row(const std::string& name, const Samples& samples, const std::string& unit) {
  rows_.push_back({name, samples.median(), unit, -1, false, true, samples.spread()});
}

void Report::row_at_most(const std::string& name, const Samples& samples, const std::string& unit,
                         double goal) {
  rows_.push_back({name, samples.median(), unit, goal, false, samples.median() <= goal, samples.spread()});
}

void Report::row_at_least(const std::string& name, const Samples& samples, const std::string& unit,
                          double goal) {
  rows_.push_back({name, samples.median(), unit, goal, true, samples.median() >= goal, samples.spread()});
}

bool Report::finish(const std::string& folder) const {
  nlohmann::ordered_json json;
  utsname system{};
  ::uname(&system);
  json["name"] = name_;
  json["machine"] = {{"cpu", cpu_model()}, {"kernel", system.release}};
  for (const auto& [key, value] : notes_) {
    json["machine"][key] = value;
  }
  bool all_met = true;
  for (const Row& row : rows_) {
    all_met = all_met && row.met;
    nlohmann::ordered_json entry = {{"name", row.name}, {"value", row.value}, {"unit", row.unit}};
    entry["goal"] = row.goal < 0 ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(row.goal);
    entry["at_least"] = row.at_least;
    entry["met"] = row.met;
    entry["spread"] = row.spread;
    json["rows"].push_back(entry);
    const std::string goal =
        row.goal < 0 ? "" : (row.at_least ? "goal >= " : "goal <= ") + std::to_string(row.goal).substr(0, 6);
    std::printf("%-34s %10.3f %-8s %-16s %s\n", row.name.c_str(), row.value, row.unit.c_str(), goal.c_str(),
                row.met ? "" : "MISSED");
  }
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  std::ofstream out(folder + "/" + name_ + ".json");
  out << json.dump(2) << "\n";
  return all_met && out.good();
}

}  // namespace hearthcast::bench
