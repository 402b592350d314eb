#include "console/identity.hpp"

#include <cstdio>
#include <iostream>
#include <string_view>
#include <termios.h>
#include <unistd.h>

namespace vitrine::console {
namespace {

// Switches the echo of the terminal off while it lives.
class Silence {
public:
  Silence() {
    tcgetattr(STDIN_FILENO, &before_);
    auto silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~Silence() { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); }
  Silence(Silence const&) = delete;
  Silence& operator=(Silence const&) = delete;

private:
  termios before_{};
};

Result<std::string> read_line() {
  std::string line;
  bool const read = static_cast<bool>(std::getline(std::cin, line));
  if (line.ends_with('\r')) line.pop_back(); // of a file from elsewhere; nobody could type it
  if (!read || line.empty()) {
    return error(Fault::invalid_value, "no password was given");
  }
  return line;
}

Result<std::string> ask(std::string_view question) {
  std::cerr << question << ": " << std::flush;
  Silence const silence;
  auto line = read_line();
  std::cerr << '\n';
  return line;
}

} // namespace

Result<std::string> read_password_from_stdin() {
  if (::isatty(STDIN_FILENO) == 0) return read_line();
  auto first = TRY(ask("Password"));
  auto const second = TRY(ask("Again"));
  if (first != second) return error(Fault::invalid_value, "the two passwords differ");
  return first;
}

} // namespace vitrine::console
