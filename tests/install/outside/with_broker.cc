#include <barnabas/embedded_broker.h>

#include <cstdlib>
#include <string>
#include <string_view>

/// with_broker PROGRAM [-- PROGRAM]...: runs each with the address of a broker that lives as long as this does.
int main(int argc, char** argv) {
  barnabas::EmbeddedBroker broker;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--") continue;
    if (std::system((std::string(argv[i]) + ' ' + broker.bootstrap_servers()).c_str()) != 0) return 1;
  }
  return 0;
}
