#include "tunnelmgr/mcast/complain.hpp"

#include <iostream>

namespace hearthcast::mcast {

int complain(const std::string& text, int code) {
  std::cerr << "hearthcast-mcast: " << text << "\n";
  return code;
}

}  // namespace hearthcast::mcast
