#include <barnabas/embedded_broker.h>
#include <gtest/gtest.h>

#include <atomic>
#include <regex>
#include <thread>

#include "common/runtime/process.h"
#include "tests/integration/cluster.h"
#include "tests/support/raw_socket.h"

namespace barnabas::testing {
namespace {

constexpr int kConnections = 1000;
constexpr int kKinds = 7;
constexpr int kCutShort = 5;

/// What connection number n says: something that no Kafka client says.
Bytes nonsense(int n) {
  const auto text = [](std::string_view words) { return Bytes(as_bytes(words).begin(), as_bytes(words).end()); };
  switch (n % kKinds) {
    case 0:
      return text("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    case 1:
      return text(std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));  // a TLS hello
    case 2:
      return text(std::string_view("\x7f\xff\xff\xff", 4));  // a frame of 2 GiB
    case 3:
      return text(std::string_view("\xff\xff\xff\xff", 4));  // of -1 bytes
    case 4:
      return text(std::string_view("\x00\x00\x00\x08\x7f\xff\x00\x00\x00\x00\x00\x00", 12));  // an API that is none
    case kCutShort:
      return text(std::string_view("\x00\x00\x00\x64\x00\x12\x00\x03", 8));  // 4 bytes of 100
    default:
      return text(std::string_view("\x00\x00\x00\x0e\x00\x03\x00\x09\x00\x00\x00\x01\xff\xff\x00\xff\xff\xff", 18));
  }
}

/// One line of the log for each connection: peer and reason.
void expect_a_reason_for_each(const std::string& log) {
  const std::regex line(R"(127\.0\.0\.1\]?:\d+ on PLAINTEXT closed: \S+)");
  const auto lines = std::distance(std::sregex_iterator(log.begin(), log.end(), line), std::sregex_iterator());
  EXPECT_EQ(lines, kConnections) << log.substr(0, 4000);
  for (const char* reason : {"speaks HTTP", "speaks TLS", "of 2147483647 bytes", "negative size", "API key 32767",
                             "4 of 100 bytes", "Metadata request"}) {
    EXPECT_NE(log.find(reason), std::string::npos) << reason;
  }
}

TEST(HostileConnectionsOnlyOurs, a_thousand_of_them_disturb_no_producer_and_no_consumer) {
  const EmbeddedBroker broker;
  const Config config{{"bootstrap.servers", broker.bootstrap_servers()}, {"auto.offset.reset", "earliest"}};
  ASSERT_FALSE(Admin(Config{{"bootstrap.servers", broker.bootstrap_servers()}})
                   .create_topics({{.name = "calm", .partitions = 1}})
                   .at(0)
                   .error);

  std::atomic<bool> stop{false};
  std::atomic<bool> all_sent{false};
  std::atomic<int> delivered{0};
  std::atomic<int> failed{0};
  std::thread sender([&] {
    Producer producer{{{"bootstrap.servers", broker.bootstrap_servers()}}};
    while (!stop) {
      producer.send({.topic = "calm", .value = "v"}, [&](const Delivery& d) { (d.ok() ? delivered : failed) += 1; });
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    producer.flush();
    EXPECT_EQ(producer.metrics().retries, 0U);
    all_sent = true;
  });
  std::atomic<int> read{0};
  std::thread reader([&] {
    Consumer consumer{config};
    consumer.assign({{"calm", 0}});
    while (!all_sent || read < delivered) {
      for (const RecordView& record : consumer.poll(std::chrono::milliseconds(100))) {
        EXPECT_EQ(record.offset(), read);
        ++read;
      }
    }
  });

  const auto memory_before = runtime::process_usage().max_rss_bytes;
  ::testing::internal::CaptureStderr();  // where the broker's log goes
  for (int n = 0; n < kConnections; ++n) {
    RawSocket socket(broker.port());
    socket.send(nonsense(n));
    if (n % kKinds == kCutShort) socket.finish_sending();
    EXPECT_TRUE(socket.wait_until_closed()) << "connection " << n << " is still open";
  }
  expect_a_reason_for_each(::testing::internal::GetCapturedStderr());
  stop = true;
  sender.join();
  reader.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(delivered, 0);
  EXPECT_EQ(read, delivered);
  EXPECT_LT(runtime::process_usage().max_rss_bytes - memory_before, 64U << 20)
      << "memory grew with the lengths that lied";
}

TEST(HostileConnectionsOnlyOurs, half_a_frame_and_then_silence_holds_nobody_up) {
  const EmbeddedBroker broker;
  std::vector<RawSocket> silent;
  for (int n = 0; n < 100; ++n) {
    silent.emplace_back(broker.port());
    EXPECT_TRUE(silent.back().send(Bytes{std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}, std::byte{0}}));
  }
  Producer producer{{{"bootstrap.servers", broker.bootstrap_servers()}}};
  EXPECT_EQ(producer.send_sync({.topic = "calm", .value = "v"}).offset, 0);
}

}  // namespace
}  // namespace barnabas::testing
