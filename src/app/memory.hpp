// How the process gives memory back to the system.
#pragma once

namespace vitrine::app {

/// Sets the allocator up; before any thread starts.
void set_up_memory();

/// Gives back what is free. Takes well under a millisecond of each part of the heap, in which
/// nobody can allocate there. Thread-safe.
void give_memory_back();

} // namespace vitrine::app
