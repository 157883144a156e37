// Sends one record and waits until the broker has stored it: simple, and slower than callbacks.
#include <barnabas/barnabas.h>

#include <array>
#include <cstdio>
#include <string>

namespace {

int run(const std::string& servers) {
  barnabas::Producer producer{{{"bootstrap.servers", servers}, {"acks", "all"}}};
  const std::array<barnabas::Header, 1> headers{{{"source", "example"}}};
  const barnabas::Delivery where =
      producer.send_sync({.topic = "payments", .key = "customer-7", .value = "9.99 EUR", .headers = headers});
  std::printf("stored in %s-%d at offset %lld\n", where.topic.c_str(), where.partition,
              static_cast<long long>(where.offset));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "localhost:9092");
  } catch (const barnabas::Error& error) {  // names topic, broker and cause; is_retriable() says whether to try again
    std::fprintf(stderr, "%s%s\n", error.what(), error.is_retriable() ? " (try again)" : "");
    return 1;
  }
}
