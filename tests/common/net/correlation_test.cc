#include "common/net/correlation.h"

#include <algorithm>

#include "common/net/framing.h"
#include "tests/common/net/net_fixture.h"

namespace barnabas::net {
namespace {

using namespace std::chrono_literals;

/// A request as the channel needs it: api key and version, correlation id, then a text.
std::string request_text(std::int32_t id, const std::string& body) {
  return std::string("\0\3\0\1", 4) + size_text(static_cast<std::uint32_t>(id)) + body;
}

class CorrelationTest : public NetTest {
 protected:
  void SetUp() override {
    auto connected = run(connect_pair(this));
    ASSERT_TRUE(connected) << connected.error().message();
    server_ = std::move(connected->server);
    channel_ = std::make_unique<RequestChannel>(env(), std::move(connected->client), 1'000'000);
  }
  void TearDown() override {
    // The channel belongs to the reactor's thread.
    expect(destroy(std::move(channel_)));
  }
  static asio::awaitable<Result<void>> destroy(std::unique_ptr<RequestChannel> channel) {
    channel.reset();
    co_return Result<void>{};
  }

  struct Outcome {
    std::string text;
    std::error_code code;
    std::string message;
  };
  static asio::awaitable<void> call_once(RequestChannel& channel, std::string body, runtime::MonotonicTime deadline,
                                         std::vector<Outcome>& outcomes, std::size_t index) {
    const std::int32_t id = channel.next_correlation_id();
    const std::string head = request_text(id, "");
    std::vector<BytesView> parts{as_bytes(head), as_bytes(body)};
    const Result<Bytes> answer = co_await channel.call(id, std::move(parts), deadline);
    if (answer) {
      outcomes[index] = {std::string(as_text(BytesView(*answer).subspan(4))), {}, {}};
    } else {
      outcomes[index] = {"failed", answer.error().code, answer.error().message()};
    }
  }
  static asio::awaitable<Result<void>> call_and_return(RequestChannel& channel, runtime::MonotonicTime deadline,
                                                       std::vector<Outcome>& outcomes) {
    co_await call_once(channel, "late", deadline, outcomes, 0);
    co_return Result<void>{};
  }
  /// Starts the calls in order and waits for `count` frames at the server, which it returns.
  static asio::awaitable<Result<std::vector<std::string>>> start_calls(CorrelationTest* test, std::size_t count,
                                                                       runtime::MonotonicTime deadline) {
    for (std::size_t i = 0; i < count; ++i) {
      asio::co_spawn(test->executor(),
                     call_once(*test->channel_, "body" + std::to_string(i), deadline, test->outcomes_, i),
                     asio::detached);
    }
    std::vector<std::string> frames;
    while (frames.size() < count) {
      const auto frame = co_await test->reader_->next();
      if (!frame) co_return failure(frame.error());
      frames.emplace_back(as_text(*frame));
    }
    co_return frames;
  }
  std::vector<std::string> start(std::size_t count, runtime::Duration timeout = 50s) {
    outcomes_.assign(count, {});
    reader_ = std::make_unique<FrameReader>(*server_, 1'000'000);
    auto frames = run(start_calls(this, count, env().clock().now() + timeout));
    EXPECT_TRUE(frames) << frames.error().message();
    return frames ? *frames : std::vector<std::string>(count);
  }
  void answer(std::uint32_t id, const std::string& body) {
    expect(write_text(*server_, size_text(static_cast<std::uint32_t>(body.size() + 4)) + size_text(id) + body));
  }
  static asio::awaitable<Result<void>> all_done(CorrelationTest* test) {
    const auto deadline = test->env().clock().now() + 50s;
    while (std::any_of(test->outcomes_.begin(), test->outcomes_.end(), [](const auto& o) { return o.text.empty(); })) {
      if (test->env().clock().now() > deadline) co_return failure(Errc::timed_out, "calls");
      const auto slept = co_await test->env().sleep_for(1ms);
      if (!slept) co_return slept;
    }
    co_return Result<void>{};
  }
  void finish() { expect(all_done(this)); }

  std::unique_ptr<ByteStream> server_;
  std::unique_ptr<FrameReader> reader_;
  std::unique_ptr<RequestChannel> channel_;
  std::vector<Outcome> outcomes_;
};
INSTANTIATE_TEST_SUITE_P(All, CorrelationTest, ::testing::Values("tcp", "memory"), param_name);

TEST_P(CorrelationTest, many_requests_are_under_way_and_each_gets_its_answer) {
  const auto frames = start(100);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(frames[i], request_text(static_cast<std::int32_t>(i), "body" + std::to_string(i)));
  }
  for (std::uint32_t i = 0; i < 100; ++i) answer(i, "answer" + std::to_string(i));
  finish();
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(outcomes_[i].text, "answer" + std::to_string(i));
}

TEST_P(CorrelationTest, a_disconnect_in_the_middle_fails_all_others_with_the_cause) {
  start(3);
  answer(0, "first");
  expect(write_text(*server_, size_text(20) + size_text(1) + "half"));
  server_->close();
  finish();
  EXPECT_EQ(outcomes_[0].text, "first");
  for (std::size_t i : {1u, 2u}) {
    EXPECT_EQ(outcomes_[i].code, Errc::disconnected);
    EXPECT_NE(outcomes_[i].message.find("in the middle of a frame"), std::string::npos) << outcomes_[i].message;
  }
}

TEST_P(CorrelationTest, an_answer_to_nobody_ends_the_connection) {
  start(2);
  answer(1, "second before first");
  finish();
  EXPECT_EQ(outcomes_[0].code, Errc::corrupt_data);
  EXPECT_EQ(outcomes_[1].code, Errc::corrupt_data);
}

asio::awaitable<Result<void>> note_disconnect(RequestChannel& channel, std::string& reason) {
  channel.on_disconnect([&reason](const Failure& why) { reason = why.message(); });
  co_return Result<void>{};
}

TEST_P(CorrelationTest, a_deadline_ends_the_connection_and_says_so_to_the_others) {
  std::string reason;
  expect(note_disconnect(*channel_, reason));
  start(1, 30ms);
  finish();
  EXPECT_EQ(outcomes_[0].code, Errc::timed_out);
  outcomes_.assign(1, {});
  expect(call_and_return(*channel_, in_seconds(30), outcomes_));
  EXPECT_EQ(outcomes_[0].code, Errc::disconnected);
  EXPECT_NE(outcomes_[0].message.find("not answered in time"), std::string::npos) << outcomes_[0].message;
  EXPECT_NE(reason.find("not answered in time"), std::string::npos) << reason;
}

asio::awaitable<Result<void>> send_unanswered(RequestChannel& channel, runtime::MonotonicTime deadline) {
  const std::string text = request_text(channel.next_correlation_id(), "acks=0");
  std::vector<BytesView> parts{as_bytes(text)};
  co_return co_await channel.send(std::move(parts), deadline);
}

TEST_P(CorrelationTest, requests_without_an_answer_end_when_written) {
  expect(send_unanswered(*channel_, in_seconds(30)));
  reader_ = std::make_unique<FrameReader>(*server_, 1'000'000);
  EXPECT_EQ(as_text(run(reader_->next()).value()), request_text(0, "acks=0"));
  EXPECT_EQ(channel_->in_flight(), 0u);
  start(1);
  answer(1, "answer");
  finish();
  EXPECT_EQ(outcomes_[0].text, "answer");
}

asio::awaitable<Result<void>> close_channel(RequestChannel& channel) {
  channel.close();
  co_return Result<void>{};
}

TEST_P(CorrelationTest, closing_fails_what_is_under_way_with_closed) {
  start(2);
  expect(close_channel(*channel_));
  finish();
  EXPECT_EQ(outcomes_[0].code, Errc::closed);
  EXPECT_EQ(outcomes_[1].code, Errc::closed);
  EXPECT_FALSE(channel_->is_open());
}

}  // namespace
}  // namespace barnabas::net
