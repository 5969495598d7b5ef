// Memory that this program asked for.
#pragma once

#include <cstddef>

namespace hearthcast::bench {

[[nodiscard]] std::size_t allocations();    // calls of operator new so far; of a program with one thread
[[nodiscard]] std::size_t octets_in_use();  // of all the heap, what OpenSSL holds included

}  // namespace hearthcast::bench
