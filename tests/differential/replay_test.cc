/// The conversation of Apache Kafka's own Java clients with Apache Kafka, said to our broker: every request of an API
/// that it serves, in the order of the capture and over as many connections.
#include <barnabas/embedded_broker.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/protocol/messages/fetch.h"
#include "tests/differential/conversation.h"
#include "tests/differential/known_differences.h"
#include "tests/differential/masks.h"
#include "tests/support/golden.h"
#include "tests/support/raw_socket.h"

namespace barnabas::differential {
namespace {

using nlohmann::json;
using protocol::ApiKey;

constexpr std::size_t kFrameSizeBytes = 4;

class Replay {
 public:
  Replay()
      : broker_({.config = {{"node.id", "1"},
                            {"log.index.size.max.bytes", "65536"},
                            {"log.roll.jitter.ms", "0"},
                            {"offsets.topic.num.partitions", "4"}}}),
        captured_("the capture", 0),
        ours_("our broker", broker_.port()) {}

  /// One line of the capture.
  void take(const json& line) {
    const auto conversation = std::pair(line["conn"].get<int>(), line["correlationId"].get<std::int32_t>());
    if (line["dir"] == "request") {
      if (is_served(line)) asked_[conversation] = ask(line);
      return;
    }
    const auto asked = asked_.find(conversation);
    if (asked == asked_.end()) return;
    compare(line, asked->second);
    asked_.erase(asked);
  }

  std::size_t compared() const { return compared_; }

  void check_list() const {
    for (const KnownDifference& one : known_replay_differences()) {
      EXPECT_TRUE(seen_.count(&one)) << "gone, take it off the list: " << one.rows << " " << one.path;
    }
  }

 private:
  struct Asked {
    std::string name;
    Frame frame;
    json answer;
  };

  static bool is_served(const json& line) {
    const auto api = static_cast<ApiKey>(line["apiKey"].get<std::int16_t>());
    // Transactions are not served yet.
    const bool transactional = line["json"].contains("transactionalId") && !line["json"]["transactionalId"].is_null();
    return !transactional && std::find(std::begin(kServed), std::end(kServed), api) != std::end(kServed);
  }

  static void replace_all(Bytes& frame, BytesView old, BytesView by) {
    for (auto at = frame.begin();;) {
      at = std::search(at, frame.end(), old.begin(), old.end());
      if (at == frame.end()) return;
      at = std::copy(by.begin(), by.end(), at);
    }
  }

  /// Our ids in the place of the captured ones, of the same length.
  Bytes with_our_ids(Bytes frame) const {
    for (const auto& [name, id] : captured_.topic_ids()) {
      const auto ours = ours_.topic_ids().find(name);
      if (ours == ours_.topic_ids().end()) continue;
      replace_all(frame, id.view(), ours->second.view());
    }
    for (const auto& [captured, ours] : members_) {
      replace_all(frame, as_bytes(captured), as_bytes(ours));
    }
    return frame;
  }

  Bytes with_our_session(const Bytes& frame, std::int16_t version, std::int32_t correlation_id) const {
    Reader in(BytesView(frame).subspan(kFrameSizeBytes));
    const auto header = protocol::decode_request_header(in);
    auto request = protocol::FetchRequest::decode(in, version);
    if (!header || !request) throw std::runtime_error("the captured fetch cannot be read");
    if (const auto known = sessions_.find(request->session_id); known != sessions_.end()) {
      request->session_id = known->second;
    }
    Writer out;
    if (!protocol::encode_request_frame(out, *request, version, correlation_id, header->client_id)) {
      throw std::runtime_error("the captured fetch cannot be written");
    }
    return out.take();
  }

  Asked ask(const json& line) {
    Asked asked;
    asked.name = line["api"].get<std::string>() + "_" + line["seq"].dump();
    asked.frame.api = static_cast<ApiKey>(line["apiKey"].get<std::int16_t>());
    asked.frame.version = line["version"].get<std::int16_t>();
    asked.frame.bytes = with_our_ids(testing::from_base64(line["base64"].get<std::string>()));
    if (asked.frame.api == ApiKey::fetch) {
      asked.frame.bytes =
          with_our_session(asked.frame.bytes, asked.frame.version, line["correlationId"].get<std::int32_t>());
    }
    testing::RawSocket& socket = sockets_.try_emplace(line["conn"].get<int>(), broker_.port()).first->second;
    const bool sent = socket.send(asked.frame.bytes);
    const auto answer = sent ? socket.receive_frame() : std::nullopt;
    EXPECT_TRUE(answer) << asked.name << " is not answered";
    if (answer) asked.answer = body_of(*answer, asked.frame);
    return asked;
  }

  void learn(const json& captured, const json& ours) {
    if (captured.contains("sessionId") && captured["sessionId"] != 0) {
      sessions_[captured["sessionId"].get<std::int32_t>()] = ours["sessionId"].get<std::int32_t>();
    }
    const std::string member = captured.value("memberId", "");
    const std::string our_member = ours.value("memberId", "");
    if (!member.empty() && member.size() == our_member.size()) members_[member] = our_member;
    for (auto [peer, answer] : {std::pair{&captured_, &captured}, {&ours_, &ours}}) {
      if (!answer->contains("topics")) continue;
      for (const json& topic : (*answer)["topics"]) {
        if (topic.contains("topicId") && topic.contains("name") && topic.value("errorCode", -1) == 0) {
          peer->know_topic(topic["name"], Uuid::parse(topic["topicId"].get<std::string>()).value());
        }
      }
    }
  }

  void compare(const json& line, const Asked& asked) {
    Bytes frame = testing::from_base64(line["base64"].get<std::string>());
    frame.erase(frame.begin(), frame.begin() + kFrameSizeBytes);
    const json captured = body_of(frame, asked.frame);
    learn(captured, asked.answer);
    ++compared_;
    for (const Difference& one :
         differences(masked(captured, asked.frame.api, captured_), masked(asked.answer, asked.frame.api, ours_))) {
      if (is_known(asked.name, one)) continue;
      ADD_FAILURE() << asked.name << " " << one.path << "\n  Apache Kafka: " << one.kafka
                    << "\n  ours:         " << one.ours;
    }
  }

  bool is_known(const std::string& name, const Difference& difference) {
    bool known = false;
    for (const KnownDifference& one : known_replay_differences()) {
      if (!matches(one.rows, name) || !matches(one.path, difference.path)) continue;
      if (!matches(one.kafka, difference.kafka) || !matches(one.ours, difference.ours)) continue;
      seen_.insert(&one);
      known = true;
    }
    return known;
  }

  EmbeddedBroker broker_;
  Peer captured_;
  Peer ours_;
  std::map<int, testing::RawSocket> sockets_;  // by the capture's connection
  std::map<std::pair<int, std::int32_t>, Asked> asked_;
  std::map<std::int32_t, std::int32_t> sessions_;
  std::map<std::string, std::string>
      members_;  // ids that the brokers gave out, of the same length  // ours by the captured one
  std::set<const KnownDifference*> seen_;
  std::size_t compared_ = 0;
};

TEST(CapturedConversation, is_answered_as_apache_kafka_did) {
  Replay replay;
  for (const json& line : testing::golden_lines("logdir/wire.jsonl")) replay.take(line);
  EXPECT_GT(replay.compared(), 100U);
  replay.check_list();
}

}  // namespace
}  // namespace barnabas::differential
