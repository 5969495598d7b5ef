#include "appliance/store/login_table.hpp"

#include <algorithm>

namespace hearthcast::store {

std::vector<Login> read_logins(sqlite::Transaction& t) {
  std::vector<Login> logins;
  t.query("SELECT token, https, idle FROM login", {}, [&](const sqlite::Row& row) {
    Login login{{}, row.integer(1) != 0, std::chrono::seconds(row.integer(2))};
    std::ranges::copy(row.blob(0), login.token.begin());  // the table takes no other length
    logins.push_back(login);
  });
  return logins;
}

void write_logins(sqlite::Transaction& t, const std::vector<Login>& logins) {
  t.run("DELETE FROM login");
  for (const Login& login : logins) {
    t.run("INSERT INTO login (token, https, idle) VALUES (?, ?, ?)",
          {Bytes(login.token), std::int64_t{login.https ? 1 : 0}, std::int64_t{login.idle.count()}});
  }
}

}  // namespace hearthcast::store
