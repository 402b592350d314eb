// One program in a sandbox, over two files of a private directory.
#pragma once

#include "base/result.hpp"
#include "formats/byte_sink.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace vitrine::convert {

/// Both refuse sockets, new processes, tracing and mounts by a seccomp filter.
enum class Sandbox : std::uint8_t {
  bubblewrap, ///< namespaces of its own: of the file system it has /usr and the two files
  landlock,   ///< the kernel refuses all other files; where user namespaces are forbidden
};

struct Call {
  std::string directory; ///< has the files `source`, to be read, and `target`, to be written
  std::vector<std::string> command; ///< of a program below /usr; it runs in the directory
  std::chrono::seconds time;        ///< on the clock, and of the processor
  std::uint64_t memory_bytes;       ///< of address space
  std::uint64_t output_bytes;       ///< largest file
};

struct Ended {
  bool out_of_time{false};
  int signal{0}; ///< that ended it, else 0
  int status{0};
  std::string errors; ///< the last it wrote to standard error, at most 4 KiB
};

/// Runs the command until it ends, its time is over, or `progress` fails: it is told the percents
/// that the command prints, "(12.34/100%)", and asked five times a second. The command never
/// outlives this call or this process. Any thread. Errors: that of `progress`; Fault::unavailable.
Result<Ended> run(Sandbox sandbox, Call const& call, formats::Progress const& progress);

/// Whether such a sandbox works on this machine.
bool works(Sandbox sandbox);

} // namespace vitrine::convert
