// What this process may take, and what it gives back.
#pragma once

#include <cstddef>

namespace hearthcast::linux {

// Raises the limit of open descriptors as far as it goes without privilege (the hard limit) and returns what
// it is now. Each flow that a box carries is a descriptor, and what a shell gives by itself ends at 1024.
// Call it before threads.
std::size_t raise_descriptor_limit();

// Large blocks of memory go back to the kernel when they are freed, for good: the C library otherwise takes
// the first ones as a sign that more will be needed, and keeps them. For long-running programs.
void return_large_blocks();

}  // namespace hearthcast::linux
