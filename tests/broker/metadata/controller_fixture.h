#pragma once

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/config/broker_config.h"
#include "broker/metadata/controller.h"
#include "broker/metadata/meta_properties.h"
#include "common/runtime/virtual_env.h"

namespace barnabas::metadata {

/// Notes what it is told.
class RecordingListener final : public MetadataListener {
 public:
  void on_metadata(const MetadataDelta& delta, const ImagePtr& image) override {
    deltas.push_back(delta);
    images.push_back(image);
  }
  Result<void> prepare(const MetadataDelta& delta, const ImagePtr& coming) override {
    if (out_of_room) return failure(Errc::storage_full, "no room");
    if (!delta.created_topics.empty()) prepared.push_back(coming);
    return {};
  }
  void take_back(const MetadataDelta&, const ImagePtr& coming) override { taken_back.push_back(coming); }

  std::vector<MetadataDelta> deltas;
  std::vector<ImagePtr> images;
  std::vector<ImagePtr> prepared;
  std::vector<ImagePtr> taken_back;
  bool out_of_room = false;
};

/// A controller on in-memory files in virtual time, with everything that it needs.
struct ControllerFixture {
  explicit ControllerFixture(runtime::Properties settings = {}, std::uint64_t seed = 1)
      : env(seed), config(config::BrokerConfig::parse(settings).value()) {}

  /// What a broker does at its start; the failure where it cannot.
  Result<void> try_start() {
    auto found = open_data_directories(env, {"/data"}, "/data", 1);
    if (!found) return failure(found.error());
    directories = std::move(*found);
    ControllerOptions options;
    options.node_id = 1;
    options.directory = "/data";
    options.directory_id = directories.metadata_directory_id;
    options.log_directories = directories.ids;
    options.unsynced_files = directories.unsynced_files;
    options.config = &config.values();
    options.on_fatal = [this](const Failure& why) { fatal.push_back(why); };
    auto opened = Controller::open(env, std::move(options));
    if (!opened) return failure(opened.error());
    controller = std::move(*opened);
    controller->add_listener(&listener);
    return controller->register_broker({{{"PLAINTEXT", "localhost", 9092, 0}}, std::nullopt});
  }
  void start() {
    const auto started = try_start();
    ASSERT_TRUE(started) << started.error().message();
  }
  /// The power goes out, and comes back.
  void crash() {
    env.memory_files().crash();
    controller.reset();
    listener = {};
  }
  void stop() {
    const auto stopped = controller->shutdown();
    ASSERT_TRUE(stopped) << stopped.error().message();
    controller.reset();
    listener = {};
  }

  template <typename T>
  T wait(asio::awaitable<T> work) {
    std::optional<T> result;
    asio::co_spawn(env.executor(), std::move(work), [&result](std::exception_ptr thrown, T value) {
      if (!thrown) result = std::move(value);
    });
    EXPECT_TRUE(env.run_until([&result] { return result.has_value(); }));
    return std::move(*result);
  }

  using CreateResult = protocol::CreateTopicsResponse::CreatableTopicResult;

  static protocol::CreateTopicsRequest::CreatableTopic topic(const std::string& name, std::int32_t partitions = 1) {
    protocol::CreateTopicsRequest::CreatableTopic topic;
    topic.name = name;
    topic.num_partitions = partitions;
    topic.replication_factor = 1;
    return topic;
  }
  std::vector<CreateResult> create(std::vector<protocol::CreateTopicsRequest::CreatableTopic> topics,
                                   bool validate_only = false) {
    protocol::CreateTopicsRequest request;
    request.topics = std::move(topics);
    request.validate_only = validate_only;
    return wait(controller->create_topics(std::move(request))).topics;
  }
  CreateResult create_one(protocol::CreateTopicsRequest::CreatableTopic topic) {
    return create({std::move(topic)}).at(0);
  }

  runtime::VirtualEnv env;
  config::BrokerConfig config;
  DataDirectories directories;
  RecordingListener listener;
  std::vector<Failure> fatal;
  std::unique_ptr<Controller> controller;  // the first to go
};

}  // namespace barnabas::metadata
