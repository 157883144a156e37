// One of several processes that share a topic: start it three times and the partitions spread, kill one and the others
// take over. Ends when nothing has come for a while.
#include <barnabas/barnabas.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using Partitions = std::vector<barnabas::TopicPartition>;

void print(const char* what, const Partitions& partitions) {
  std::printf("%s:", what);
  for (const auto& partition : partitions) std::printf(" %s", partition.to_string().c_str());
  std::printf("\n");
}

int run(const std::string& servers, std::chrono::seconds patience) {
  // [region:readme]
  barnabas::Consumer consumer{
      {{"bootstrap.servers", servers}, {"group.id", "billing"}, {"auto.offset.reset", "earliest"}}};
  barnabas::RebalanceListener listener;
  listener.on_assigned = [](const Partitions& partitions) { print("mine now", partitions); };
  listener.on_revoked = [&](const Partitions& partitions) {
    print("given up", partitions);
    consumer.commit_sync();  // the next owner goes on from here
  };
  // Away for too long, so others have them already: a commit would be refused, and what it throws ends poll.
  listener.on_lost = [](const Partitions& partitions) { print("lost", partitions); };
  consumer.subscribe({"orders"}, listener);

  std::size_t seen = 0;
  auto last = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - last < patience) {
    const barnabas::Records records = consumer.poll(100ms);
    if (!records.empty()) last = std::chrono::steady_clock::now();
    for (const barnabas::RecordView& record : records) seen += record.value() ? 1 : 0;  // your work
  }
  // [end]
  std::printf("%zu records read; %s", seen, consumer.explain().c_str());
  consumer.close();  // commits, and lets the others take over at once
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "localhost:9092", std::chrono::seconds(argc > 2 ? std::stoi(argv[2]) : 60));
  } catch (const barnabas::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
