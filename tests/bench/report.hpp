// What a benchmark leaves behind: build/bench/NAME.json with one row per figure, and the machine it was
// measured on.
#pragma once

#include <string>
#include <vector>

namespace hearthcast::bench {

// Figures of rounds that were measured in turn with what they are compared with.
struct Samples {
  std::vector<double> values;
  void add(double value) { values.push_back(value); }
  [[nodiscard]] double best() const;  // the least
  [[nodiscard]] double median() const;
  [[nodiscard]] double spread() const;  // (most - least) / median
};

// The rounds' ratios a / b: what swings with the machine swings in both.
[[nodiscard]] Samples ratio(const Samples& a, const Samples& b);

class Report {
 public:
  explicit Report(std::string name) : name_(std::move(name)) {}
  void note(const std::string& key, const std::string& value);  // of the machine or the method
  void row(const std::string& name, const Samples& samples, const std::string& unit);  // median, no goal
  void row_at_most(const std::string& name, const Samples& samples, const std::string& unit, double goal);
  void row_at_least(const std::string& name, const Samples& samples, const std::string& unit, double goal);
  // Prints the table, writes FOLDER/NAME.json. False when a goal was missed or the file could not be written.
  [[nodiscard]] bool finish(const std::string& folder) const;

 private:
  struct Row {
    std::string name;
    double value;
    std::string unit;
    double goal;  // below zero: none
    bool at_least;
    bool met;
    double spread;
  };
  std::string name_;
  std::vector<std::pair<std::string, std::string>> notes_;
  std::vector<Row> rows_;
};

}  // namespace hearthcast::bench
