#include "tunnelmgr/http/exposition.hpp"

namespace hearthcast::http {
namespace {

void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

}  // namespace

void Exposition::begin(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += "# HELP " + name_ + " ";
  text_ += help;
  text_ += "\n# TYPE " + name_ + " ";
  text_ += type;
  text_ += "\n";
}

void Exposition::sample(const Labels& labels, std::uint64_t value) {
  text_ += name_;
  const char* separator = "{";
  for (const auto& [name, label] : labels) {
    text_ += separator;
    text_ += name;
    text_ += "=\"";
    append_escaped(text_, label);
    text_ += "\"";
    separator = ",";
  }
  text_ += labels.size() == 0 ? " " : "} ";
  text_ += std::to_string(value) + "\n";
}

}  // namespace hearthcast::http
