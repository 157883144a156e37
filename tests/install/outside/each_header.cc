#include <barnabas/barnabas.h>
#include <barnabas/embedded_broker.h>

#include <system_error>

/// One category in the process, whoever made the code: the client throws ours, and so does the broker.
int main() {
  try {
    barnabas::Producer producer(barnabas::Config{{"acsk", "all"}});
    return 1;
  } catch (const barnabas::Error& error) {
    if (error.code() != barnabas::Errc::invalid_config) return 2;
  }
  try {
    barnabas::EmbeddedBroker broker(
        {.config = {{"log.retentoin.ms", "1"}}, .data_directory = {}, .log_to_stderr = false});
    return 3;
  } catch (const std::system_error& error) {
    if (error.code() != barnabas::Errc::invalid_config) return 4;
  }
  return 0;
}
