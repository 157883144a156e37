#include "common/net/framing.h"

#include "common/runtime/temporary_directory.h"
#include "tests/common/net/net_fixture.h"

namespace barnabas::net {
namespace {

class FramingTest : public NetTest {
 protected:
  void SetUp() override {
    auto connected = run(connect_pair(this));
    ASSERT_TRUE(connected) << connected.error().message();
    pair_ = std::move(*connected);
    reader_ = std::make_unique<FrameReader>(*pair_.server, 1'000'000);
  }
  void send(const std::string& text) { expect(write_text(*pair_.client, text)); }
  std::string receive() {
    const auto frame = run(reader_->next());
    return frame ? std::string(as_text(*frame)) : "FAILED " + frame.error().message();
  }
  std::string expect_failure(Errc code) {
    const auto frame = run(reader_->next());
    EXPECT_FALSE(frame);
    if (frame) return {};
    EXPECT_EQ(frame.error().code, code);
    EXPECT_NE(frame.error().subject.find(pair_.server->peer_name()), std::string::npos) << frame.error().message();
    return frame.error().subject;
  }
  StreamPair pair_;
  std::unique_ptr<FrameReader> reader_;
};
INSTANTIATE_TEST_SUITE_P(All, FramingTest, ::testing::Values("tcp", "memory"), param_name);

TEST_P(FramingTest, takes_frames_that_come_together_and_in_pieces) {
  send(size_text(3) + "one" + size_text(0) + size_text(5) + "th");
  EXPECT_EQ(receive(), "one");
  EXPECT_EQ(receive(), "");
  EXPECT_TRUE(reader_->has_buffered());
  EXPECT_FALSE(reader_->has_whole_frame());
  send("ree" + size_text(1).substr(0, 2));
  EXPECT_EQ(receive(), "three");
  send(size_text(1).substr(2) + "x");
  EXPECT_EQ(receive(), "x");
}

TEST_P(FramingTest, knows_whether_the_next_frame_is_here_as_a_whole) {
  EXPECT_FALSE(reader_->has_whole_frame());
  send(size_text(3) + "one" + size_text(3) + "two" + size_text(0) + size_text(3) + "thr");
  EXPECT_EQ(receive(), "one");
  EXPECT_TRUE(reader_->has_whole_frame());
  EXPECT_EQ(receive(), "two");
  EXPECT_TRUE(reader_->has_whole_frame()) << "of no bytes";
  EXPECT_EQ(receive(), "");
  EXPECT_TRUE(reader_->has_whole_frame());
  EXPECT_EQ(receive(), "thr");
  EXPECT_FALSE(reader_->has_whole_frame());
}

TEST_P(FramingTest, takes_every_cut_of_a_stream_of_frames) {
  const std::string stream = size_text(2) + "ab" + size_text(3) + "cde";
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    send(stream.substr(0, cut));
    if (cut >= 6) {
      EXPECT_EQ(receive(), "ab");
    }
    send(stream.substr(cut));
    if (cut < 6) {
      EXPECT_EQ(receive(), "ab");
    }
    EXPECT_EQ(receive(), "cde");
  }
}

TEST_P(FramingTest, takes_frames_above_the_read_ahead_and_reuses_memory) {
  const std::string body(200'000, 'b');
  Bytes spare;
  for (int i = 0; i < 5; ++i) {
    send(size_text(200'000) + body + size_text(1) + "y");
    auto frame = run(reader_->next(std::move(spare)));
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_TRUE(as_text(*frame) == body);
    spare = std::move(*frame);
    EXPECT_EQ(receive(), "y");
  }
}

TEST_P(FramingTest, takes_frames_into_memory_of_any_size_and_content) {
  const std::string body(100'000, 'b');
  for (const std::size_t bytes : {1, 10, 50'000, 99'999, 100'000, 100'001, 300'000}) {
    for (const std::string& text : {body, std::string("short"), std::string()}) {
      send(size_text(static_cast<std::uint32_t>(text.size())) + text);
      auto frame = run(reader_->next(Bytes(bytes, std::byte{'?'})));
      ASSERT_TRUE(frame) << frame.error().message();
      EXPECT_TRUE(as_text(*frame) == text) << bytes;
    }
  }
}

TEST_P(FramingTest, asks_for_memory_once_the_size_is_known) {
  struct Memory final : FrameMemory {
    Bytes take(std::size_t bytes) override {
      asked.push_back(bytes);
      return Bytes(70'000, std::byte{'?'});
    }
    std::vector<std::size_t> asked;
  } memory;
  FrameReader reader(*pair_.server, 1'000'000, &memory);
  const std::string body(70'000, 'b');
  send(size_text(70'000) + body + size_text(1) + "y");
  const auto first = run(reader.next());
  ASSERT_TRUE(first);
  EXPECT_TRUE(as_text(*first) == body);
  const auto second = run(reader.next());
  ASSERT_TRUE(second);
  EXPECT_EQ(as_text(*second), "y");
  EXPECT_EQ(memory.asked, (std::vector<std::size_t>{70'000, 1}));
}

TEST_P(FramingTest, refuses_a_negative_size) {
  send(size_text(0xFFFFFFFF));
  EXPECT_NE(expect_failure(Errc::corrupt_data).find("negative size -1"), std::string::npos);
}

TEST_P(FramingTest, refuses_a_size_above_the_limit) {
  send(size_text(1'000'001));
  EXPECT_NE(expect_failure(Errc::corrupt_data).find("1000001 bytes, allowed are 1000000"), std::string::npos);
}

TEST_P(FramingTest, knows_http_and_tls_when_it_sees_them) {
  send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_NE(expect_failure(Errc::corrupt_data).find("speaks HTTP"), std::string::npos);
}

TEST_P(FramingTest, knows_a_tls_hello) {
  send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  EXPECT_NE(expect_failure(Errc::corrupt_data).find("speaks TLS"), std::string::npos);
}

TEST_P(FramingTest, a_peer_that_leaves_between_frames_has_just_left) {
  send(size_text(1) + "x");
  pair_.client->close();
  EXPECT_EQ(receive(), "x");
  EXPECT_EQ(expect_failure(Errc::disconnected).find("middle"), std::string::npos);
  EXPECT_FALSE(reader_->is_cut_short());
}

TEST_P(FramingTest, a_peer_that_leaves_in_the_middle_of_a_frame_is_told_so) {
  send(size_text(10) + "abc");
  pair_.client->close();
  EXPECT_NE(expect_failure(Errc::disconnected).find("(3 of 10 bytes)"), std::string::npos);
  EXPECT_TRUE(reader_->is_cut_short());
}

TEST_P(FramingTest, a_peer_that_leaves_in_the_middle_of_a_size_is_told_so) {
  send(size_text(10).substr(0, 2));
  pair_.client->close();
  EXPECT_NE(expect_failure(Errc::disconnected).find("middle of a frame's size"), std::string::npos);
  EXPECT_TRUE(reader_->is_cut_short());
}

/// Gives out a frame's start in small pieces and notes how much room it was offered: that is what was allocated.
class MeasuringStream final : public ByteStream {
 public:
  MeasuringStream(std::string bytes, asio::any_io_executor executor)
      : bytes_(std::move(bytes)), executor_(std::move(executor)) {}
  asio::any_io_executor executor() override { return executor_; }
  asio::awaitable<Result<std::size_t>> read_some(MutableBytesView out) override {
    const std::size_t count = std::min({out.size(), bytes_.size() - given_, std::size_t{7000}});
    if (count == 0) co_return failure(Errc::disconnected);
    if (given_ > 0) {
      EXPECT_LE(given_ + out.size(), std::max(2 * given_, kFrameBytesOnTrust) + 4) << "after " << given_;
    }
    std::copy_n(as_bytes(bytes_).begin() + static_cast<std::ptrdiff_t>(given_), count, out.begin());
    given_ += count;
    co_return count;
  }
  asio::awaitable<Result<void>> write(std::span<const BytesView>) override { co_return Result<void>{}; }
  asio::awaitable<Result<void>> write_file(const runtime::File&, std::uint64_t, std::uint64_t) override {
    co_return Result<void>{};
  }
  void close() noexcept override {}
  const std::string& peer_name() const noexcept override { return name_; }

 private:
  std::string bytes_;
  std::size_t given_ = 0;
  asio::any_io_executor executor_;
  std::string name_ = "measuring";
};

TEST_P(FramingTest, memory_follows_what_arrived_and_not_what_was_claimed) {
  MeasuringStream stream(size_text(100'000'000) + std::string(500'000, 'x'), executor());
  FrameReader reader(stream, 100'000'000);
  const auto frame = run(reader.next());
  ASSERT_FALSE(frame);
  EXPECT_NE(frame.error().subject.find("(500000 of 100000000 bytes)"), std::string::npos) << frame.error().subject;
}

asio::awaitable<Result<void>> send_frame(ByteStream& stream, Bytes own, std::vector<ExternalPart> places,
                                         std::vector<ExternalSource> sources) {
  co_return co_await write_frame(stream, own, std::move(places), std::move(sources));
}

Bytes bytes_of(std::string_view text) {
  const BytesView view = as_bytes(text);
  return Bytes(view.begin(), view.end());
}

TEST_P(FramingTest, writes_a_frame_with_file_regions_and_memory_in_their_places) {
  const runtime::TemporaryDirectory directory;
  auto opened = runtime::system_env().files().open(directory.path("segment"), runtime::OpenMode::create);
  ASSERT_TRUE(opened);
  std::shared_ptr<runtime::File> file = *opened;
  ASSERT_TRUE(file->write_at(as_bytes("0123456789"), 0));
  std::vector<ExternalSource> sources(3);
  sources[0] = {file, 2, 3, {}};
  sources[1] = {nullptr, 0, 0, bytes_of("mem")};
  sources[2] = {file, 9, 1, {}};
  expect(send_frame(*pair_.client, bytes_of("headtail"), {{4, 3}, {4, 3}, {8, 1}}, sources));
  EXPECT_EQ(receive(), "head234memtail9");
  expect(send_frame(*pair_.client, bytes_of("plain"), {}, {}));
  EXPECT_EQ(receive(), "plain");
}

TEST_P(FramingTest, external_sources_must_fit_their_places) {
  const auto sent =
      run(send_frame(*pair_.client, bytes_of("x"), {{0, 3}}, {ExternalSource{nullptr, 0, 0, bytes_of("four")}}));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace barnabas::net
