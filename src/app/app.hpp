// The command line.
#pragma once

namespace vitrine::app {

/// Runs one command; the exit status: 0 done, 1 failed (one line on standard error), 2 misused.
int run(int count, char const* const* arguments);

} // namespace vitrine::app
