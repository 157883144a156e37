#include "client/cli/command_line.h"

int main(int argc, char** argv) {
  return barnabas::cli::run_command_line(argc, argv);
}
