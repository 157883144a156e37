// Reads all partitions of a topic from the beginning to the end.
#include <barnabas/barnabas.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

int run(const std::string& servers) {
  std::size_t seen = 0;
  // [region:readme]
  barnabas::Consumer consumer{{{"bootstrap.servers", servers}, {"auto.offset.reset", "earliest"}}};
  std::vector<barnabas::TopicPartition> partitions;
  for (const auto& partition : consumer.partitions_for("orders")) partitions.push_back({"orders", partition.partition});
  consumer.assign(partitions);

  std::size_t wanted = 0;
  for (const auto& [partition, end] : consumer.end_offsets(partitions)) wanted += static_cast<std::size_t>(end);
  while (seen < wanted) {
    for (const barnabas::RecordView& record : consumer.poll(100ms)) {  // views into the fetched bytes: no copies
      const std::string_view value = record.value().value_or("");
      std::printf("%d@%lld %.*s\n", record.partition(), static_cast<long long>(record.offset()),
                  static_cast<int>(value.size()), value.data());
      ++seen;
    }
  }
  // [end]
  std::printf("%zu records read\n", seen);
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
