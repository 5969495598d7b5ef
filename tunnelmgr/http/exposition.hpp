// The Prometheus text exposition format, version 0.0.4: metrics with help, type, labels and values.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace hearthcast::http {

// Names are [a-z_] and are given by the program; label values may be any text. All samples of one metric
// follow its begin().
class Exposition {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string>>;

  void gauge(std::string_view name, std::string_view help) { begin(name, "gauge", help); }
  void counter(std::string_view name, std::string_view help) {
    begin(name, "counter", help);
  }  // ends in _total
  void sample(const Labels& labels, std::uint64_t value);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void begin(std::string_view name, std::string_view type, std::string_view help);

  std::string name_;
  std::string text_;
};

}  // namespace hearthcast::http
