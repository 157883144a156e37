#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/protocol/headers.h"
#include "common/protocol/messages/init_producer_id.h"
#include "tests/integration/cluster.h"
#include "tests/integration/mortal_broker.h"
#include "tests/support/raw_socket.h"

namespace barnabas::testing {
namespace {

constexpr int kRounds = 20;
constexpr std::int32_t kPartitions = 3;
constexpr std::size_t kAcknowledgedPerRound = 200;

/// Which record was acknowledged at which offset, and how many so far.
class Acknowledged {
 public:
  void add(const Delivery& delivery, int number) {
    const std::lock_guard guard(mutex_);
    if (!delivery.ok()) {
      failures_.push_back(delivery.context);
    } else {
      offsets_[{delivery.partition, number}] = delivery.offset;
    }
    changed_.notify_all();
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return offsets_.size() >= count; });
  }
  std::size_t size() {
    const std::lock_guard guard(mutex_);
    return offsets_.size();
  }
  const std::map<std::pair<std::int32_t, int>, std::int64_t>& offsets() const { return offsets_; }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<std::int32_t, int>, std::int64_t> offsets_;  // mutex_; read without it once all is delivered
  std::vector<std::string> failures_;                             // mutex_
};

/// Sends numbered records, round-robin over the partitions, until it is told to stop.
void send_until(const std::atomic<bool>& stop, Producer& producer, const std::string& topic,
                Acknowledged& acknowledged) {
  for (int number = 0; !stop; ++number) {
    const std::string value = std::to_string(number);
    producer.send({.topic = topic, .partition = number % kPartitions, .value = value},
                  [&acknowledged, number](const Delivery& delivery) { acknowledged.add(delivery, number); });
    if (number % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// Each acknowledged record is where its delivery report says, once, and numbers rise within a partition.
void check(const std::string& bootstrap_servers, const std::string& topic, const Acknowledged& acknowledged) {
  Consumer consumer{{{"bootstrap.servers", bootstrap_servers}, {"auto.offset.reset", "earliest"}}};
  std::vector<TopicPartition> partitions;
  for (std::int32_t p = 0; p < kPartitions; ++p) partitions.push_back({topic, p});
  consumer.assign(partitions);
  std::size_t left = 0;
  for (const auto& [partition, end] : consumer.end_offsets(partitions)) left += static_cast<std::size_t>(end);
  std::map<std::pair<std::int32_t, int>, std::int64_t> found;
  std::map<std::int32_t, int> last;
  while (left > 0) {
    const Records records = consumer.poll(std::chrono::seconds(10));
    ASSERT_FALSE(records.empty()) << left << " records do not come";
    for (const RecordView& record : records) {
      const int number = std::stoi(std::string(*record.value()));
      ASSERT_TRUE(found.emplace(std::pair(record.partition(), number), record.offset()).second)
          << number << " is there twice";
      const auto [at, is_first] = last.emplace(record.partition(), number);
      ASSERT_TRUE(is_first || at->second < number) << number << " after " << at->second;
      at->second = number;
    }
    left -= records.size();
  }
  for (const auto& [record, offset] : acknowledged.offsets()) {
    const auto at = found.find(record);
    ASSERT_NE(at, found.end()) << "acknowledged record " << record.second << " is lost";
    if (offset >= 0) {
      ASSERT_EQ(at->second, offset);
    }
  }
}

TEST(KillOnlyOurs, every_acknowledged_record_is_there_once_and_in_order_after_20_kills) {
  MortalBroker broker;
  Admin admin{{{"bootstrap.servers", broker.bootstrap_servers()}}};
  ASSERT_FALSE(admin.create_topics({{.name = "mortal", .partitions = kPartitions}}).at(0).error);

  Producer producer{{{"bootstrap.servers", broker.bootstrap_servers()},
                     {"batch.size", "1000"},
                     {"reconnect.backoff.ms", "5"},
                     {"reconnect.backoff.max.ms", "20"},
                     {"retry.backoff.ms", "5"},
                     {"retry.backoff.max.ms", "20"}}};
  Acknowledged acknowledged;
  std::atomic<bool> stop{false};
  std::thread sender([&] { send_until(stop, producer, "mortal", acknowledged); });
  for (int round = 0; round < kRounds; ++round) {
    EXPECT_TRUE(acknowledged.wait_for(acknowledged.size() + kAcknowledgedPerRound)) << "round " << round;
    broker.kill();
    broker.start();
  }
  stop = true;
  sender.join();
  producer.flush();
  EXPECT_TRUE(acknowledged.failures().empty()) << acknowledged.failures().front();
  check(broker.bootstrap_servers(), "mortal", acknowledged);
}

/// Asks as an idempotent producer does when it starts.
std::int64_t new_producer_id(std::uint16_t port) {
  constexpr std::int16_t kVersion = 4;
  Writer request;
  protocol::RequestHeader header;
  header.request_api_key = static_cast<std::int16_t>(protocol::ApiKey::init_producer_id);
  header.request_api_version = kVersion;
  EXPECT_TRUE(header.encode(request, 2));
  protocol::InitProducerIdRequest body;
  body.transactional_id = std::nullopt;
  EXPECT_TRUE(body.encode(request, kVersion));
  RawSocket socket(port);
  EXPECT_TRUE(socket.send_frame(request.view()));
  const auto frame = socket.receive_frame();
  if (!frame) return -1;
  Reader reader(*frame);
  EXPECT_TRUE(protocol::ResponseHeader::decode(reader, 1));
  const auto response = protocol::InitProducerIdResponse::decode(reader, kVersion);
  EXPECT_TRUE(response && response->error_code == 0);
  return response ? response->producer_id : -1;
}

TEST(KillOnlyOurs, producer_ids_are_never_handed_out_twice) {
  MortalBroker broker;
  std::set<std::int64_t> ids;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 3; ++i) {
      const std::int64_t id = new_producer_id(broker.port());
      EXPECT_TRUE(ids.insert(id).second) << id;
    }
    broker.kill();
    broker.start();
  }
}

}  // namespace
}  // namespace barnabas::testing
