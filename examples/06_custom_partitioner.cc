// Chooses partitions itself: large customers get partition 0 for themselves, all others are spread by their key.
#include <barnabas/barnabas.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view kLargeCustomer = "acme";

std::int32_t choose(const barnabas::PartitionChoice& choice) {
  if (choice.partition_count == 1 || choice.key.text() == kLargeCustomer) return 0;
  const auto hash = barnabas::murmur2(choice.key.bytes()) & 0x7fffffff;  // as Java's default, over the other partitions
  return 1 + hash % (choice.partition_count - 1);
}

int run(const std::string& servers) {
  barnabas::Admin admin{{{"bootstrap.servers", servers}}};
  const auto created = admin.create_topics({{.name = "accounts", .partitions = 4}});
  constexpr int kTopicAlreadyExists = 36;
  if (created.front().error && created.front().error.code != barnabas::kafka_error(kTopicAlreadyExists)) {
    std::fprintf(stderr, "%s\n", created.front().error.context.c_str());
    return 1;
  }

  barnabas::ProducerOptions options;
  options.partitioner = choose;
  barnabas::Producer producer({{"bootstrap.servers", servers}}, std::move(options));
  for (const std::string_view customer : {"acme", "zoe", "ben", "acme", "kim"}) {
    const auto where = producer.send_sync({.topic = "accounts", .key = customer, .value = "opened"});
    std::printf("%.*s is in partition %d\n", static_cast<int>(customer.size()), customer.data(), where.partition);
    if (customer == kLargeCustomer && where.partition != 0) return 1;
    if (customer != kLargeCustomer && where.partition == 0) return 1;
  }
  return 0;
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
