// A member of a consumer group that processes records on eight threads: those of one key in order, one after the other.
// A record counts as processed only when the function below has returned for it, and for all before it.
#include <barnabas/barnabas.h>
#include <barnabas/parallel_consumer.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

int run(const std::string& servers, int wanted) {
  std::atomic<int> processed{0};
  barnabas::ParallelConsumer* self = nullptr;
  // [region:readme]
  barnabas::ParallelConsumer consumer(
      {{"bootstrap.servers", servers}, {"group.id", "billing"}, {"auto.offset.reset", "earliest"}}, {"orders"},
      [&](const barnabas::RecordView& record) {
        const std::string_view order = record.key().value_or("without a number");
        std::printf("charging order %.*s\n", static_cast<int>(order.size()), order.data());
        if (++processed == wanted) self->stop();
      },
      {.workers = 8, .order = barnabas::ProcessingOrder::key});
  self = &consumer;
  consumer.run();  // until stop(), or until processing throws
  // [end]
  std::printf("%d records processed\n", processed.load());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "localhost:9092", argc > 2 ? std::stoi(argv[2]) : 1000);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
