#include "examples/demo/interrupt.h"

#include <csignal>
#include <stdexcept>

namespace demo {
namespace {

volatile std::sig_atomic_t came = 0;

void note(int /*signal*/) {
  came = 1;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool is_interrupted() {
  return came != 0;
}

void throw_if_interrupted() {
  if (is_interrupted()) throw std::runtime_error("interrupted");
}

}  // namespace demo
