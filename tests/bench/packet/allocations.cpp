#include "tests/bench/packet/allocations.hpp"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace {
std::size_t calls = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++calls;
  if (void* room = std::malloc(size)) {
    return room;
  }
  throw std::bad_alloc();
}
void operator delete(void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t) noexcept { std::free(room); }

namespace hearthcast::bench {

std::size_t allocations() { return calls; }

std::size_t octets_in_use() {
  const auto heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

}  // namespace hearthcast::bench
