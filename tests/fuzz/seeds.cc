#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "broker/group/group_records.h"
#include "client/core/consumer_protocol.h"
#include "common/bytes/writer.h"
#include "common/protocol/message_registry.h"
#include "common/protocol/messages/heartbeat.h"
#include "common/protocol/messages/join_group.h"
#include "common/protocol/messages/leave_group.h"
#include "common/protocol/messages/offset_commit.h"
#include "common/protocol/messages/sync_group.h"
#include "tests/fuzz/groups.h"
#include "tests/fuzz/log_files.h"
#include "tests/support/golden.h"

namespace {

using namespace barnabas;
using fuzz::kLogFiles;

constexpr std::size_t kLargestSeedBytes = 4096;

void write_seed(const std::filesystem::path& folder, std::size_t number, BytesView bytes) {
  if (bytes.size() > kLargestSeedBytes) return;
  std::filesystem::create_directories(folder);
  std::ofstream out(folder / std::to_string(number), std::ios::binary);
  out.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
}

/// As message.cc reads it: which message, which version, its bytes.
void message_seeds(const std::filesystem::path& folder) {
  const auto all = protocol::all_messages();
  std::size_t number = 0;
  for (const char* file : {"messages-requests.jsonl", "messages-responses.jsonl", "messages-other.jsonl"}) {
    for (const nlohmann::json& line : testing::golden_lines(file)) {
      const auto* info = protocol::find_message(line["message"].get<std::string>());
      if (info == nullptr) continue;
      Writer out;
      out.uint16(static_cast<std::uint16_t>(info - all.data()));
      out.int8(static_cast<std::int8_t>(line["version"].get<int>() - info->min_version));
      out.bytes(testing::from_base64(line["base64"].get<std::string>()));
      write_seed(folder, number++, out.view());
    }
  }
}

/// One frame each, and some of them behind each other.
void frame_seeds(const std::filesystem::path& folder) {
  std::size_t number = 0;
  Writer several;
  several.int8(6);
  for (const nlohmann::json& line : testing::golden_lines("frames.jsonl")) {
    if (line["type"] != "request") continue;
    const Bytes bytes = testing::from_base64(line["base64"].get<std::string>());
    Writer one;
    one.int8(static_cast<std::int8_t>(number % 100));
    one.bytes(bytes);
    write_seed(folder, number++, one.view());
    if (several.size() < kLargestSeedBytes / 2) several.bytes(bytes);
  }
  write_seed(folder, number, several.view());
}

void record_seeds(const std::filesystem::path& folder) {
  std::size_t number = 0;
  for (const nlohmann::json& line : testing::golden_lines("records.jsonl")) {
    write_seed(folder, number++, testing::from_base64(line["base64"].get<std::string>()));
  }
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put_log_file(Writer& out, std::string_view name, std::string bytes) {
  const auto* kind = std::ranges::find(kLogFiles, name);
  if (kind == kLogFiles.end()) return;
  if (name.ends_with("index")) bytes.erase(bytes.find_last_not_of('\0') + 1);  // indexes are preallocated with zeros
  out.int8(static_cast<std::int8_t>(kind - kLogFiles.begin()));
  out.uint16(static_cast<std::uint16_t>(bytes.size()));
  out.bytes(as_bytes(bytes));
}

/// Each partition directory of a broker that ended, as log_files.cc reads it, once as clean and once as not.
void log_file_seeds(const std::filesystem::path& folder, const std::filesystem::path& data_directory) {
  std::size_t number = 0;
  for (const auto& partition : std::filesystem::directory_iterator(data_directory)) {
    if (!partition.is_directory()) continue;
    Writer files;
    for (const auto& file : std::filesystem::directory_iterator(partition)) {
      put_log_file(files, "orders-0/" + file.path().filename().string(), text_of(file.path()));
    }
    const std::string offset = "0\n1\norders 0 0\n";
    put_log_file(files, "recovery-point-offset-checkpoint", offset);
    put_log_file(files, "replication-offset-checkpoint", offset);
    put_log_file(files, "meta.properties", text_of(data_directory / "meta.properties"));
    for (const std::int8_t clean : {std::int8_t{0}, std::int8_t{1}}) {
      Writer out;
      out.int8(clean);
      out.bytes(files.view());
      write_seed(folder, number++, out.view());
    }
  }
}

void unpacked_log_seeds(const std::filesystem::path& folder, const std::filesystem::path& place) {
  std::filesystem::create_directories(place);
  for (const std::string name : {"clean", "unclean"}) {
    const std::string archive = std::string(BARNABAS_SOURCE_DIR) + "/tests/golden/logdir/" + name + ".tar.gz";
    if (std::system(("tar -xzf '" + archive + "' -C '" + place.string() + "'").c_str()) != 0) std::exit(1);
    log_file_seeds(folder / name, place / name);
  }
}

void put_group_item(Writer& out, fuzz::GroupItem item, BytesView bytes) {
  out.int8(static_cast<std::int8_t>(item));
  out.uint16(static_cast<std::uint16_t>(bytes.size()));
  out.bytes(bytes);
}

template <typename Request>
void put_group_request(Writer& out, fuzz::GroupItem item, const Request& request, std::int16_t version) {
  Writer bytes;
  bytes.int8(static_cast<std::int8_t>(version));
  if (!request.encode(bytes, version)) std::exit(1);
  put_group_item(out, item, bytes.view());
}

void put_group_record(Writer& out, const group::ShardDriver::LogRecord& record) {
  Writer bytes;
  bytes.uint16(static_cast<std::uint16_t>(record.key.size()));
  bytes.bytes(record.key);
  bytes.boolean(record.value.has_value());
  if (record.value) bytes.bytes(*record.value);
  put_group_item(out, fuzz::GroupItem::record, bytes.view());
}

/// A member joins, gets its part, lives, commits, leaves; asked in the versions from `version` on.
Bytes life_of_a_member(std::int16_t version) {
  const std::string id(1, '\0');
  Writer out;
  protocol::JoinGroupRequest join;
  join.group_id = "g";
  join.session_timeout_ms = 10'000;
  join.rebalance_timeout_ms = 20'000;
  join.protocol_type = "consumer";
  MemberSubscription subscription;
  subscription.topics = {"t"};
  join.protocols.emplace_back();
  join.protocols.back().name = "range";
  join.protocols.back().metadata = *client::encode_subscription(subscription);
  put_group_request(out, fuzz::GroupItem::join, join, version);
  join.member_id = id;
  if (version > 3) put_group_request(out, fuzz::GroupItem::join, join, version);
  Writer wait;
  wait.uint32(3000);
  put_group_item(out, fuzz::GroupItem::time, wait.view());
  protocol::SyncGroupRequest sync;
  sync.group_id = "g";
  sync.generation_id = 1;
  sync.member_id = id;
  if (version >= 5) sync.protocol_type = "consumer";
  if (version >= 5) sync.protocol_name = "range";
  sync.assignments.emplace_back();
  sync.assignments.back().member_id = id;
  MemberAssignment assignment;
  assignment.partitions = {{"t", 0}};
  sync.assignments.back().assignment = *client::encode_assignment(assignment);
  put_group_request(out, fuzz::GroupItem::sync, sync, std::min<std::int16_t>(version, 5));
  protocol::HeartbeatRequest heartbeat;
  heartbeat.group_id = "g";
  heartbeat.generation_id = 1;
  heartbeat.member_id = id;
  put_group_request(out, fuzz::GroupItem::heartbeat, heartbeat, 4);
  protocol::OffsetCommitRequest commit;
  commit.group_id = "g";
  commit.generation_id_or_member_epoch = 1;
  commit.member_id = id;
  commit.topics.emplace_back();
  commit.topics.back().name = "t";
  commit.topics.back().partitions.emplace_back();
  commit.topics.back().partitions.back().committed_offset = 5;
  commit.topics.back().partitions.back().committed_metadata = "m";
  put_group_request(out, fuzz::GroupItem::commit, commit, 8);
  put_group_item(out, fuzz::GroupItem::restart, {});
  protocol::LeaveGroupRequest leave;
  leave.group_id = "g";
  leave.members.emplace_back();
  leave.members.back().member_id = id;
  put_group_request(out, fuzz::GroupItem::leave, leave, 5);
  put_group_item(out, fuzz::GroupItem::restart, {});
  return out.take();
}

/// Such lives, and what Kafka writes: groups that a coordinator reads at its start, subscriptions, assignments.
void group_seeds(const std::filesystem::path& folder) {
  std::size_t number = 0;
  for (const int version : {3, 4, 9}) {
    write_seed(folder, number++, life_of_a_member(static_cast<std::int16_t>(version)));
  }
  for (const nlohmann::json& line : testing::golden_lines("messages-other.jsonl")) {
    const std::string message = line["message"];
    Writer bytes;
    bytes.int16(static_cast<std::int16_t>(line["version"].get<int>()));
    bytes.bytes(testing::from_base64(line["base64"].get<std::string>()));
    Writer out;
    if (message == "GroupMetadataValue" || message == "OffsetCommitValue") {
      auto record = message == "GroupMetadataValue" ? group::ShardDriver::written(group::ClassicGroupRecord{"g", {}})
                                                    : group::ShardDriver::written(group::OffsetRecord{"g", "t", 0, {}});
      record.value = bytes.take();
      put_group_record(out, record);
      record.value.reset();
      put_group_record(out, record);
    } else if (message == "ConsumerProtocolSubscription" || message == "ConsumerProtocolAssignment") {
      const bool is_subscription = message == "ConsumerProtocolSubscription";
      put_group_item(out, is_subscription ? fuzz::GroupItem::subscription : fuzz::GroupItem::assignment, bytes.view());
    } else {
      continue;
    }
    write_seed(folder, number++, out.view());
  }
}

/// What a .properties file may look like, and settings that are read together.
constexpr const char* kPropertyTexts[] = {
    "# comment\n! comment\n\nnode.id=7\nlog.dirs : /a,/b\\\n   ,/c\nbroker.rack\\ x \\u0041\\t\\\\\n",
    "listeners=PLAINTEXT://:9092,EXTERNAL://[::1]:0\nadvertised.listeners=PLAINTEXT://here:9092,EXTERNAL://there:1\n"
    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,EXTERNAL:PLAINTEXT\ninter.broker.listener.name=PLAINTEXT\n",
    "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@localhost:9093\n"
    "controller.listener.names=CONTROLLER\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093\n",
    "log.retention.hours=1\nlog.retention.minutes=2\nlog.retention.ms=-1\nlog.roll.hours=3\nlog.segment.bytes=14\n"
    "log.cleanup.policy=compact,delete\ncompression.type=zstd\nlog.message.timestamp.type=LogAppendTime\n",
    "acsk=all\nnode.id=x\nnum.network.threads=0\nlog.retention.ms=99999999999999999999\n",
};

/// Those, and every broker setting with its default, some of them a file.
void property_seeds(const std::filesystem::path& folder) {
  constexpr std::size_t kSettingsAFile = 12;
  std::size_t number = 1000;
  for (const char* text : kPropertyTexts) write_seed(folder, number++, as_bytes(std::string_view(text)));
  const auto settings = nlohmann::json::parse(testing::golden_text("configs.json")).at("broker");
  std::string text;
  std::size_t count = 0;
  for (const nlohmann::json& setting : settings) {
    const auto value = setting.find("default");
    const bool has_default = value != setting.end() && value->is_string();
    text += setting.at("name").get<std::string>() + '=' + (has_default ? value->get<std::string>() : "1") + '\n';
    if (++count % kSettingsAFile != 0 && count != settings.size()) continue;
    write_seed(folder, count, as_bytes(text));
    text.clear();
  }
}

}  // namespace

/// fuzz_seeds FOLDER: writes what Kafka wrote (tests/golden) as starting points, a folder for each target.
int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 1;
  }
  const std::filesystem::path folder = argv[1];
  message_seeds(folder / "message");
  frame_seeds(folder / "frame");
  record_seeds(folder / "records");
  unpacked_log_seeds(folder / "log_files", folder / "unpacked");
  group_seeds(folder / "groups");
  property_seeds(folder / "properties");
  return 0;
}
