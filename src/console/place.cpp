#include "console/place.hpp"

#include <CLI/CLI.hpp>

namespace vitrine::console {

void add_place(CLI::App& command, Place& place) {
  command.add_option("--standalone", place.standalone,
                     "Directory of the service; or as --config says");
  command.add_option("--config", place.config_file,
                     "TOML file of the service, when it names the directory or a database");
}

} // namespace vitrine::console
