#include "broker/metadata/controller.h"

#include <algorithm>
#include <asio/any_io_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <mutex>
#include <span>
#include <utility>

#include "broker/config/topic_config.h"
#include "broker/metadata/broker_registration.h"
#include "broker/metadata/features.h"
#include "broker/metadata/image_builder.h"
#include "broker/metadata/metadata_log.h"
#include "broker/metadata/topic_control.h"
#include "common/protocol/errors.h"
#include "common/protocol/messages/abort_transaction_record.h"
#include "common/protocol/messages/begin_transaction_record.h"
#include "common/protocol/messages/config_record.h"
#include "common/protocol/messages/end_transaction_record.h"
#include "common/protocol/messages/producer_ids_record.h"

namespace barnabas::metadata {
namespace {

constexpr std::int32_t kProducerIdBlockSize = 1000;
constexpr std::size_t kMaxRecordsPerBatch = 10000;  // also what one request may make, so a request is one batch

template <typename T>
asio::awaitable<T> run_here(std::function<T()> work) {
  co_return work();
}

/// Runs `work` on the queue and comes back to the caller's executor.
template <typename T>
asio::awaitable<T> run_on(asio::any_io_executor queue, std::function<T()> work) {
  asio::awaitable<T> running = run_here<T>(std::move(work));
  co_return co_await asio::co_spawn(queue, std::move(running), asio::use_awaitable);
}

MetadataDelta delta_of_all(const MetadataImage& image) {
  MetadataDelta delta;
  for (const auto& [name, topic] : image.topics()) {
    delta.created_topics.insert(topic->id);
    if (!image.topic_configs(name).empty()) delta.changed_configs.insert({ConfigResourceType::topic, name});
  }
  delta.brokers_changed = true;
  delta.features_changed = true;
  return delta;
}

/// An answer that could not be made true.
template <typename T>
void refuse(T& result, const Failure& why) {
  result.error_code = static_cast<std::int16_t>(protocol::ErrorCode::kafka_storage_error);
  result.error_message = "The change could not be stored: " + why.message();
}

void refuse_all(protocol::CreateTopicsResponse& response, const Failure& why) {
  for (auto& topic : response.topics) {
    if (topic.error_code != 0) continue;
    refuse(topic, why);
    topic.topic_id = Uuid::zero();
    topic.num_partitions = -1;
    topic.replication_factor = -1;
    topic.configs.emplace();
  }
}

void refuse_all(protocol::DeleteTopicsResponse& response, const Failure& why) {
  for (auto& topic : response.responses) {
    if (topic.error_code == 0) refuse(topic, why);
  }
}

Bytes min_insync_default(const runtime::ParsedConfig& config) {
  protocol::ConfigRecord record;
  record.resource_type = static_cast<std::int8_t>(ConfigResourceType::broker);
  record.name = "min.insync.replicas";
  record.value = config.text("min.insync.replicas");
  return frame_record(record, record_version::kOthers);
}

}  // namespace

/// Threads: `work_mutex_` is held by whoever makes a change: the queue's thread, or the owner at start and stop.
class Controller::State : public std::enable_shared_from_this<Controller::State> {
 public:
  State(runtime::Env& env, ControllerOptions options) : env_(env), options_(std::move(options)) {}

  Result<void> open();
  void add_listener(MetadataListener* listener);
  Result<void> register_broker(const BrokerRegistrationRequest& request);
  Result<void> shutdown();

  protocol::CreateTopicsResponse create_topics(const protocol::CreateTopicsRequest& request);
  protocol::DeleteTopicsResponse delete_topics(const protocol::DeleteTopicsRequest& request);
  Result<ProducerIdBlock> allocate_producer_ids();

  ImagePtr image() const {
    const std::lock_guard lock(image_mutex_);
    return image_;
  }
  asio::any_io_executor queue() { return pool_->executor(); }
  /// Ends the queue's thread while somebody else still holds this.
  void stop_queue() { pool_.reset(); }
  std::int64_t broker_epoch() const noexcept { return broker_epoch_.load(); }
  std::int32_t leader_epoch() const noexcept { return log_->leader_epoch(); }

 private:
  Result<void> activate(bool in_transaction);
  Result<std::vector<Bytes>> bootstrap() const;
  Result<void> commit(const std::vector<Bytes>& records);
  Result<void> prepare(const MetadataDelta& delta, const ImagePtr& image);
  void take_back(const MetadataDelta& delta, const ImagePtr& image);
  Result<void> append_and_replay(std::span<const Bytes> records, ImageBuilder& builder);
  Result<void> append_all(const std::vector<Bytes>& records, ImageBuilder& builder);
  Result<void> sync();
  void sync_first();
  void publish(ImagePtr image, const MetadataDelta& delta);
  void snapshot_if_due();
  Failure fail(Failure why);
  TopicControl topics() {
    return {*image_, *options_.config, options_.node_id, options_.log_directories, env_.random()};
  }

  runtime::Env& env_;
  const ControllerOptions options_;
  std::unique_ptr<MetadataLog> log_;
  std::mutex work_mutex_;
  std::vector<MetadataListener*> listeners_;  // work_mutex_
  std::optional<Failure> failed_;             // work_mutex_
  mutable std::mutex image_mutex_;            // leaf: guards only the pointer
  ImagePtr image_;                            // changed under both mutexes
  std::atomic<std::int64_t> broker_epoch_{-1};
  std::unique_ptr<runtime::WorkerPool> pool_;  // the first to go: its work uses all the rest
};

Result<void> Controller::State::open() {
  MetadataLogOptions log_options;
  log_options.directory = options_.directory;
  log_options.node_id = options_.node_id;
  log_options.directory_id = options_.directory_id;
  log_options.unsynced_files = options_.unsynced_files;
  log_options.controller_endpoint = options_.controller_endpoint;
  log_options.has_static_quorum = !options_.config->get_list("controller.quorum.voters").empty();
  const bool has_internal_size = !options_.config->is_null("internal.metadata.log.segment.bytes");
  log_options.segment_bytes = options_.config->get_int(has_internal_size ? "internal.metadata.log.segment.bytes"
                                                                         : "metadata.log.segment.bytes");
  log_options.segment_ms = options_.config->get_long("metadata.log.segment.ms");
  log_options.max_retention_bytes = options_.config->get_long("metadata.max.retention.bytes");
  log_options.max_retention_ms = options_.config->get_long("metadata.max.retention.ms");
  auto log = MetadataLog::open(env_, std::move(log_options));
  if (!log) return failure(log.error());
  log_ = std::move(*log);
  ImageBuilder builder;
  if (auto done = log_->replay(builder); !done) return done;
  const bool in_transaction = builder.in_transaction();
  image_ = builder.build();
  if (auto done = log_->become_leader(); !done) return done;
  pool_ = env_.make_worker_pool("controller", 1);
  return activate(in_transaction);
}

/// What a controller does first once it leads. Source: Kafka's ActivationRecordsGenerator.
Result<void> Controller::State::activate(bool in_transaction) {
  ImageBuilder builder(*image_);
  if (in_transaction) {
    // Nothing of the transaction is in the image: for us it ends here, and in the log for whoever reads it later.
    protocol::AbortTransactionRecord abort;
    abort.reason = "the controller stopped in the middle of it";
    if (auto base = log_->append(std::vector<Bytes>{frame_record(abort, record_version::kOthers)}); !base)
      return failure(base.error());
  }
  if (image_->feature_level(kMetadataVersion) == 0) {
    const auto records = bootstrap();
    if (!records) return failure(records.error());
    if (auto done = append_and_replay(*records, builder); !done) return done;
  }
  const std::vector<Bytes> controller = {register_controller_record(options_, env_.random())};
  if (auto done = append_and_replay(controller, builder); !done) return done;
  publish(builder.build(), builder.delta());
  return {};
}

Result<std::vector<Bytes>> Controller::State::bootstrap() const {
  auto features = log_->bootstrap_records();
  if (!features) return features;
  protocol::BeginTransactionRecord begin;
  begin.name = "Bootstrap records";
  std::vector<Bytes> records = {frame_record(begin, record_version::kOthers)};
  for (Bytes& one : *features) records.push_back(std::move(one));
  records.push_back(min_insync_default(*options_.config));
  records.push_back(frame_record(protocol::EndTransactionRecord{}, record_version::kOthers));
  return records;
}

void Controller::State::add_listener(MetadataListener* listener) {
  const std::lock_guard lock(work_mutex_);
  listeners_.push_back(listener);
  listener->on_metadata(delta_of_all(*image_), image_);
}

Result<void> Controller::State::register_broker(const BrokerRegistrationRequest& request) {
  const std::lock_guard lock(work_mutex_);
  const std::int64_t epoch = log_->end_offset();
  ImageBuilder builder(*image_);
  const std::vector<Bytes> joining = {register_broker_record(options_, request, epoch, env_.random())};
  if (auto done = append_and_replay(joining, builder); !done) return done;
  const auto unfencing = unfence_records(*builder.build(), options_, epoch);
  if (auto done = append_all(unfencing, builder); !done) return done;
  broker_epoch_ = epoch;
  publish(builder.build(), builder.delta());
  if (image_->topics().empty()) {
    // Nobody can have been told anything yet: the queue syncs before its first request, and the broker serves
    // meanwhile.
    asio::post(pool_->executor(), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->sync_first();
    });
    return {};
  }
  if (auto done = sync(); !done) return done;
  snapshot_if_due();
  return {};
}

void Controller::State::sync_first() {
  const std::lock_guard lock(work_mutex_);
  if (failed_) return;
  [[maybe_unused]] const auto done = sync();  // a failure is noted there
}

Result<void> Controller::State::shutdown() {
  const std::lock_guard lock(work_mutex_);
  if (failed_) return failure(*failed_);
  failed_ = Failure{Errc::closed, "the controller has stopped"};
  if (broker_epoch_ >= 0 && options_.config->get_bool("controlled.shutdown.enable")) {
    ImageBuilder builder(*image_);
    auto records = controlled_shutdown_records(*image_, options_.node_id, broker_epoch_);
    if (auto done = append_all(records, builder); !done) return done;
    records = fence_records(options_.node_id, broker_epoch_);
    if (auto done = append_and_replay(records, builder); !done) return done;
  }
  return log_->close();
}

/// Appends one batch and replays it; the builder is of no more use after an error.
Result<void> Controller::State::append_and_replay(std::span<const Bytes> records, ImageBuilder& builder) {
  const auto base_offset = log_->append(records);
  if (!base_offset) return failure(base_offset.error());
  std::int64_t offset = *base_offset;
  for (const Bytes& record : records) {
    if (auto done = builder.replay(record, offset++, log_->leader_epoch()); !done) return failure(fail(done.error()));
  }
  return {};
}

/// The same for records that need not take effect together.
Result<void> Controller::State::append_all(const std::vector<Bytes>& records, ImageBuilder& builder) {
  std::span<const Bytes> rest = records;
  while (!rest.empty()) {
    const std::size_t count = std::min(rest.size(), kMaxRecordsPerBatch);
    if (auto done = append_and_replay(rest.first(count), builder); !done) return done;
    rest = rest.subspan(count);
  }
  return {};
}

Result<void> Controller::State::sync() {
  if (auto done = log_->sync(); !done) return failure(fail(done.error()));
  return {};
}

/// From here on nothing changes any more.
Failure Controller::State::fail(Failure why) {
  failed_ = why;
  if (options_.on_fatal) options_.on_fatal(why);
  return why;
}

/// Makes a request's records true, all or nothing, and lets everybody know. Whatever can fail for want of room does so
/// before the records are in the log.
Result<void> Controller::State::commit(const std::vector<Bytes>& records) {
  if (failed_) return failure(*failed_);
  if (records.empty()) return {};
  ImageBuilder builder(*image_);
  std::int64_t offset = log_->end_offset();
  for (const Bytes& record : records) {
    if (auto done = builder.replay(record, offset++, log_->leader_epoch()); !done) return done;
  }
  ImagePtr image = builder.build();
  if (auto done = prepare(builder.delta(), image); !done) return done;
  if (const auto appended = log_->append(records); !appended) {
    take_back(builder.delta(), image);
    return failure(appended.error());
  }
  if (auto done = sync(); !done) return done;
  publish(std::move(image), builder.delta());
  snapshot_if_due();
  return {};
}

Result<void> Controller::State::prepare(const MetadataDelta& delta, const ImagePtr& image) {
  for (MetadataListener* listener : listeners_) {
    auto prepared = listener->prepare(delta, image);
    if (prepared) continue;
    take_back(delta, image);
    return prepared;
  }
  return {};
}

void Controller::State::take_back(const MetadataDelta& delta, const ImagePtr& image) {
  for (MetadataListener* listener : listeners_) listener->take_back(delta, image);
}

/// What comes is there before anybody can read of it, and what goes is read of no more before it is gone: so no client
/// is sent to a partition that is not ready.
void Controller::State::publish(ImagePtr image, const MetadataDelta& delta) {
  const auto tell = [&] {
    for (MetadataListener* listener : listeners_) listener->on_metadata(delta, image);
  };
  const bool is_removal = !delta.deleted_topics.empty();
  if (!is_removal && !delta.empty()) tell();
  {
    const std::lock_guard lock(image_mutex_);
    image_ = image;
  }
  if (is_removal) tell();
}

void Controller::State::snapshot_if_due() {
  if (log_->bytes_since_snapshot() < options_.config->get_long("metadata.log.max.record.bytes.between.snapshots"))
    return;
  // A snapshot only makes the next start faster: where it cannot be written, the log still says everything.
  [[maybe_unused]] const auto written = log_->write_snapshot(*image_);
}

protocol::CreateTopicsResponse Controller::State::create_topics(const protocol::CreateTopicsRequest& request) {
  const std::lock_guard lock(work_mutex_);
  auto result = topics().create(request);
  if (auto done = commit(result.records); !done) refuse_all(result.response, done.error());
  return std::move(result.response);
}

protocol::DeleteTopicsResponse Controller::State::delete_topics(const protocol::DeleteTopicsRequest& request) {
  const std::lock_guard lock(work_mutex_);
  auto result = topics().remove(request);
  if (auto done = commit(result.records); !done) refuse_all(result.response, done.error());
  return std::move(result.response);
}

Result<ProducerIdBlock> Controller::State::allocate_producer_ids() {
  const std::lock_guard lock(work_mutex_);
  const ProducerIdBlock block{image_->next_producer_id(), kProducerIdBlockSize};
  protocol::ProducerIdsRecord record;
  record.broker_id = options_.node_id;
  record.broker_epoch = broker_epoch_;
  record.next_producer_id = block.first + block.count;
  if (auto done = commit({frame_record(record, record_version::kOthers)}); !done) return failure(done.error());
  return block;
}

Controller::Controller(std::shared_ptr<State> state) : state_(std::move(state)) {}
Controller::~Controller() {
  state_->stop_queue();
}

Result<std::unique_ptr<Controller>> Controller::open(runtime::Env& env, ControllerOptions options) {
  auto state = std::make_shared<State>(env, std::move(options));
  if (auto done = state->open(); !done) return failure(done.error());
  return std::unique_ptr<Controller>(new Controller(std::move(state)));
}

void Controller::add_listener(MetadataListener* listener) {
  state_->add_listener(listener);
}
Result<void> Controller::register_broker(const BrokerRegistrationRequest& request) {
  return state_->register_broker(request);
}
Result<void> Controller::shutdown() {
  return state_->shutdown();
}
ImagePtr Controller::image() const {
  return state_->image();
}
std::int64_t Controller::broker_epoch() const {
  return state_->broker_epoch();
}
std::int32_t Controller::leader_epoch() const {
  return state_->leader_epoch();
}

asio::awaitable<protocol::CreateTopicsResponse> Controller::create_topics(protocol::CreateTopicsRequest request) {
  std::function<protocol::CreateTopicsResponse()> work = [state = state_.get(), request = std::move(request)] {
    return state->create_topics(request);
  };
  return run_on<protocol::CreateTopicsResponse>(state_->queue(), std::move(work));
}

asio::awaitable<protocol::DeleteTopicsResponse> Controller::delete_topics(protocol::DeleteTopicsRequest request) {
  std::function<protocol::DeleteTopicsResponse()> work = [state = state_.get(), request = std::move(request)] {
    return state->delete_topics(request);
  };
  return run_on<protocol::DeleteTopicsResponse>(state_->queue(), std::move(work));
}

asio::awaitable<Result<ProducerIdBlock>> Controller::allocate_producer_ids() {
  std::function<Result<ProducerIdBlock>()> work = [state = state_.get()] { return state->allocate_producer_ids(); };
  return run_on<Result<ProducerIdBlock>>(state_->queue(), std::move(work));
}

}  // namespace barnabas::metadata
