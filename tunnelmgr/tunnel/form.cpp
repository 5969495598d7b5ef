#include "tunnelmgr/tunnel/form.hpp"

namespace hearthcast::tunnel {

const char* to_string(Form form) {
  switch (form) {
    case Form::kGre:
      return "gre";
    case Form::kSixInFour:
      return "6in4";
    case Form::kAyiya:
      return "ayiya";
  }
  return "";
}

std::optional<Form> parse_form(std::string_view word) {
  for (const Form form : {Form::kGre, Form::kSixInFour, Form::kAyiya}) {
    if (word == to_string(form)) {
      return form;
    }
  }
  return std::nullopt;
}

}  // namespace hearthcast::tunnel
