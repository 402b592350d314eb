// The program: everything is wired in app/.
#include "app/app.hpp"

int main(int count, char** arguments) { return vitrine::app::run(count, arguments); }
