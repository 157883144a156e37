// Sends records with callbacks, the fast path: `send` returns at once, and the callback says where each record is
// stored.
#include <barnabas/barnabas.h>

#include <atomic>
#include <cstdio>
#include <string>

namespace {

int run(const std::string& servers) {
  std::atomic<int> failed{0};
  // [region:readme]
  barnabas::Producer producer{{{"bootstrap.servers", servers}, {"compression.type", "zstd"}}};
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "customer-" + std::to_string(i % 50);
    const std::string value = "order " + std::to_string(i);
    producer.send({.topic = "orders", .key = key, .value = value},
                  [&failed](const barnabas::Delivery& delivery) {  // on the client's thread: be quick
                    if (delivery.error) ++failed;
                  });
  }
  producer.close();  // delivers what is still under way
  // [end]
  std::printf("%d records sent, %d failed\n", 1000, failed.load());
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "localhost:9092");
  } catch (const barnabas::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
