#include "examples/demo/read_back.h"

#include <barnabas/barnabas.h>

#include <chrono>

#include "client/cli/progress.h"
#include "examples/demo/digest.h"
#include "examples/demo/interrupt.h"

namespace demo {
namespace {

constexpr std::chrono::seconds kPatience{30};  // without a record, after which the rest counts as lost

class Reader {
 public:
  void take(const barnabas::RecordView& record) {
    const auto partition = static_cast<std::size_t>(record.partition());
    check_order(partition, record.offset());
    sums_.at(partition).add(digest_of(record, digest_));
    for (const auto& header : record.headers()) {
      if (header.key == "section" && header.value) ++result_.sections[std::string(*header.value)];
    }
    ++result_.records;
    bytes_ += (record.key() ? record.key()->size() : 0) + (record.value() ? record.value()->size() : 0);
  }

  std::uint64_t records() const { return result_.records; }
  std::uint64_t bytes() const { return bytes_; }

  ReadBack finish() {
    for (PartitionDigest& sum : sums_) result_.partitions.push_back({sum.records(), sum.finish()});
    return std::move(result_);
  }

 private:
  void check_order(std::size_t partition, std::int64_t offset) {
    if (offset != next_.at(partition)) {
      result_.disorder.push_back("partition " + std::to_string(partition) + ": offset " + std::to_string(offset) +
                                 " instead of " + std::to_string(next_[partition]));
    }
    next_[partition] = offset + 1;
  }

  Digest digest_;
  std::vector<PartitionDigest> sums_ = std::vector<PartitionDigest>(kPartitions);
  std::vector<std::int64_t> next_ = std::vector<std::int64_t>(kPartitions);
  ReadBack result_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

ReadBack read_back(const std::string& bootstrap_servers, std::uint64_t wanted) {
  barnabas::Consumer consumer{{{"bootstrap.servers", bootstrap_servers}, {"auto.offset.reset", "earliest"}}};
  std::vector<barnabas::TopicPartition> partitions;
  for (std::int32_t p = 0; p < kPartitions; ++p) partitions.push_back({kTopic, p});
  consumer.assign(partitions);

  Reader reader;
  barnabas::cli::Progress progress("reading", wanted);
  const auto started = std::chrono::steady_clock::now();
  auto last_record = started;
  while (reader.records() < wanted && std::chrono::steady_clock::now() - last_record < kPatience) {
    throw_if_interrupted();
    for (const auto& record : consumer.poll(std::chrono::milliseconds(500))) {
      reader.take(record);
      last_record = std::chrono::steady_clock::now();
    }
    progress.update({.records = reader.records(), .bytes = reader.bytes()});
  }
  // One look beyond the end: a record too many is as wrong as one too few.
  for (const auto& record : consumer.poll(std::chrono::milliseconds(100))) reader.take(record);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  ReadBack result = reader.finish();
  result.seconds = took.count();
  return result;
}

}  // namespace demo
