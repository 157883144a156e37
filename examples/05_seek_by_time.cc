// Reads what was written since a point in time, one hour ago unless the second argument says how many seconds.
#include <barnabas/barnabas.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

int run(const std::string& servers, std::chrono::seconds back) {
  barnabas::Consumer consumer{{{"bootstrap.servers", servers}}};
  const auto since = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now() - back);
  std::map<barnabas::TopicPartition, barnabas::Timestamp> times;
  std::vector<barnabas::TopicPartition> partitions;
  for (const auto& partition : consumer.partitions_for("orders")) {
    partitions.push_back({"orders", partition.partition});
    times.emplace(partitions.back(), since);
  }
  consumer.assign(partitions);
  auto ends = consumer.end_offsets(partitions);
  for (const auto& [partition, found] : consumer.offsets_for_times(times)) {
    consumer.seek(partition, found ? found->offset : ends.at(partition));  // none: nothing is as young
  }
  std::size_t records = 0;
  for (const auto& [partition, end] : ends) {
    while (consumer.position(partition) < end) records += consumer.poll(100ms).size();
  }
  std::printf("%zu records in the last %lld seconds\n", records, static_cast<long long>(back.count()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "localhost:9092", std::chrono::seconds(argc > 2 ? std::atoi(argv[2]) : 3600));
  } catch (const barnabas::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
