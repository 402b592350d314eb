// Which service a command is for: its options --standalone and --config.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace vitrine::console {

/// What the command line says; both are empty when it says nothing.
struct Place {
  std::string standalone{};
  std::string config_file{};
};

/// Adds both options to a command. `place` must live as long as it.
void add_place(CLI::App& command, Place& place);

} // namespace vitrine::console
