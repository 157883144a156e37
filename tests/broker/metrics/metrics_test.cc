#include <gtest/gtest.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <thread>

#include "broker/metrics/broker_metrics.h"
#include "broker/metrics/metrics_server.h"
#include "tests/support/block_on.h"

namespace barnabas::broker {
namespace {

using namespace std::chrono_literals;
using protocol::ApiKey;

TEST(BrokerMetrics, exposes_requests_errors_and_latency_by_api) {
  BrokerMetrics metrics;
  ApiMetrics& produce = metrics.api(ApiKey::produce);
  produce.requests.add(3);
  produce.errors.add();
  produce.latency.observe(60us);
  produce.latency.observe(100us);
  produce.latency.observe(20s);
  const std::string page = metrics.exposition();
  EXPECT_NE(page.find("# TYPE barnabas_requests_total counter\n"), std::string::npos);
  const std::string name(protocol::to_string(ApiKey::produce));
  EXPECT_NE(page.find("barnabas_requests_total{api=\"" + name + "\"} 3\n"), std::string::npos) << page;
  EXPECT_NE(page.find("barnabas_request_errors_total{api=\"" + name + "\"} 1\n"), std::string::npos);
  EXPECT_NE(page.find("barnabas_request_seconds_bucket{api=\"" + name + "\",le=\"5e-05\"} 0\n"), std::string::npos)
      << page;
  EXPECT_NE(page.find("barnabas_request_seconds_bucket{api=\"" + name + "\",le=\"0.0001\"} 2\n"), std::string::npos)
      << page;
  EXPECT_NE(page.find("barnabas_request_seconds_bucket{api=\"" + name + "\",le=\"+Inf\"} 3\n"), std::string::npos);
  EXPECT_NE(page.find("barnabas_request_seconds_count{api=\"" + name + "\"} 3\n"), std::string::npos);
  EXPECT_EQ(page.find("api=\"" + std::string(protocol::to_string(ApiKey::fetch))), std::string::npos);
}

TEST(BrokerMetrics, exposes_bytes_connections_partitions_and_log_sizes) {
  BrokerMetrics metrics;
  metrics.network_bytes_in.add(1000);
  metrics.connections.add(5);
  metrics.connections.add(-2);
  metrics.set_partition_source([] { return std::vector<PartitionGauges>{{"orders \"x\"", 3, 4096, 7, 42}}; });
  const std::string page = metrics.exposition();
  EXPECT_NE(page.find("barnabas_network_in_bytes_total 1000\n"), std::string::npos) << page;
  EXPECT_NE(page.find("barnabas_connections 3\n"), std::string::npos);
  EXPECT_NE(page.find("barnabas_partitions 1\n"), std::string::npos);
  EXPECT_NE(page.find("barnabas_log_size_bytes{topic=\"orders \\\"x\\\"\",partition=\"3\"} 4096\n"), std::string::npos)
      << page;
  EXPECT_NE(page.find("barnabas_log_end_offset{topic=\"orders \\\"x\\\"\",partition=\"3\"} 42\n"), std::string::npos);
}

TEST(BrokerMetrics, exposes_groups_by_state_and_how_far_they_have_read) {
  BrokerMetrics metrics;
  EXPECT_EQ(metrics.exposition().find("barnabas_groups{"), std::string::npos);
  metrics.set_group_source([] {
    GroupGauges gauges;
    gauges.by_state = {{"Empty", 2}, {"Stable", 1}};
    gauges.rebalances = 3;
    gauges.commits = 9;
    gauges.lags = {{"billing", "orders", 4, 40, 2}};
    return gauges;
  });
  const std::string page = metrics.exposition();
  const std::string labels = "{group=\"billing\",topic=\"orders\",partition=\"4\"} ";
  EXPECT_NE(page.find("barnabas_groups{state=\"Empty\"} 2\n"), std::string::npos) << page;
  EXPECT_NE(page.find("barnabas_group_rebalances_total 3\n"), std::string::npos);
  EXPECT_NE(page.find("barnabas_group_commits_total 9\n"), std::string::npos);
  EXPECT_NE(page.find("barnabas_group_committed_offset" + labels + "40\n"), std::string::npos);
  EXPECT_NE(page.find("barnabas_group_lag" + labels + "2\n"), std::string::npos);
}

TEST(BrokerMetrics, an_unknown_api_key_is_counted_nowhere_else) {
  BrokerMetrics metrics;
  metrics.api(static_cast<ApiKey>(-1)).requests.add();
  metrics.api(static_cast<ApiKey>(30000)).requests.add();
  EXPECT_EQ(metrics.exposition().find("barnabas_requests_total"), std::string::npos);
}

TEST(BrokerMetrics, counts_from_many_threads) {
  BrokerMetrics metrics;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&metrics] {
      for (int n = 0; n < 10000; ++n) metrics.api(ApiKey::fetch).latency.observe(1ms);
    });
  }
  static_cast<void>(metrics.exposition());
  for (std::thread& thread : threads) thread.join();
  EXPECT_NEAR(metrics.api(ApiKey::fetch).latency.sum_seconds(), 40.0, 1e-6);
}

class MetricsServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = std::make_unique<MetricsServer>(env_, net::tcp_network(), reactor_->executor(),
                                              [] { return std::string("page\n"); });
    const auto started = server_->start("127.0.0.1", 0);
    ASSERT_TRUE(started) << started.error().message();
  }
  void TearDown() override {
    static_cast<void>(runtime::block_on(env_, *reactor_, stop(server_.get()), env_.clock().now() + 10s));
    reactor_->stop();
  }
  static asio::awaitable<Result<void>> stop(MetricsServer* server) {
    server->stop();
    co_return Result<void>{};
  }
  static asio::awaitable<Result<std::string>> exchange(std::uint16_t port, std::vector<std::string> pieces) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const std::string host = "127.0.0.1";
    auto stream = co_await net::tcp_network().connect(executor, host, port, net::SocketOptions{});
    if (!stream) co_return failure(stream.error());
    for (const std::string& piece : pieces) {
      const std::array<BytesView, 1> parts{as_bytes(piece)};
      const std::span<const BytesView> all(parts);
      if (!co_await (*stream)->write(all)) break;
    }
    std::string answer;
    Bytes buffer(1000);
    for (;;) {
      const MutableBytesView room(buffer);
      const auto count = co_await (*stream)->read_some(room);
      if (!count) co_return answer;
      answer.append(as_text(BytesView(buffer).first(*count)));
    }
  }
  std::string ask(std::vector<std::string> pieces) {
    auto answer =
        runtime::block_on(env_, *reactor_, exchange(server_->port(), std::move(pieces)), env_.clock().now() + 30s);
    return answer ? *answer : answer.error().message();
  }
  static std::string first_line(const std::string& text) { return text.substr(0, text.find("\r\n")); }

  runtime::Env& env_ = runtime::system_env();
  std::unique_ptr<runtime::Reactor> reactor_ = env_.make_reactor("metrics-test");
  std::unique_ptr<MetricsServer> server_;
};

TEST_F(MetricsServerTest, answers_get_metrics) {
  EXPECT_EQ(ask({"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: 5\r\n"
            "Connection: close\r\n\r\npage\n");
  EXPECT_EQ(first_line(ask({"GET /met", "rics?a=b HTTP/1.0\r", "\n\r\n"})), "HTTP/1.1 200 OK");
}

TEST_F(MetricsServerTest, answers_anything_else_with_an_error) {
  EXPECT_EQ(first_line(ask({"GET / HTTP/1.1\r\n\r\n"})), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(first_line(ask({"POST /metrics HTTP/1.1\r\n\r\n"})), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_EQ(first_line(ask({"hello\r\n\r\n"})), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(first_line(ask({"\r\n\r\n"})), "HTTP/1.1 400 Bad Request");
}

TEST_F(MetricsServerTest, ends_a_request_without_an_end) {
  const std::string answer = first_line(ask({"GET /metrics HTTP/1.1\r\nX: " + std::string(9000, 'x')}));
  EXPECT_EQ(answer, "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(first_line(ask({"GET /metrics HTTP/1.1\r\n\r\n"})), "HTTP/1.1 200 OK");
}

}  // namespace
}  // namespace barnabas::broker
