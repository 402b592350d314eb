#include "app/memory.hpp"

#include <malloc.h>

namespace vitrine::app {
namespace {

constexpr int kMappedBytesMin = 256 << 10;

} // namespace

// What is long (a body, its tree, an answer) gets pages of its own, which go back when it ends.
// Left alone, the threshold rises to 32 MiB with the first that is freed, and from then on each
// thread's part of the heap keeps the most it ever held.
void set_up_memory() { mallopt(M_MMAP_THRESHOLD, kMappedBytesMin); }

// Many small things at once, such as the rows of a page, leave holes that free() never gives back.
void give_memory_back() { malloc_trim(0); }

} // namespace vitrine::app
