#pragma once

#include <asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/server/broker_services.h"
#include "common/bytes/bytes.h"
#include "common/runtime/env.h"

namespace barnabas::broker {

class ApiTable;

/// Who may talk on a listener; bits, because an API may be open to both.
enum class ListenerKinds : std::uint8_t { client = 1, controller = 2, both = 3 };

inline bool includes(ListenerKinds kinds, ListenerKinds one) noexcept {
  return (static_cast<unsigned>(kinds) & static_cast<unsigned>(one)) != 0;
}

/// Kafka's AclOperation codes.
enum class AclOperation : std::int8_t {
  none = 0,
  all = 2,
  read = 3,
  write = 4,
  create = 5,
  remove = 6,
  alter = 7,
  describe = 8,
  cluster_action = 9,
  describe_configs = 10,
  alter_configs = 11,
  idempotent_write = 12,
};

/// Kafka's ResourceType codes.
enum class ResourceType : std::int8_t { topic = 2, group = 3, cluster = 4, transactional_id = 5 };

/// Where a connection came in.
struct ListenerInfo {
  std::string name;             ///< "PLAINTEXT", as in `listeners`.
  std::string advertised_host;  ///< What Metadata tells clients that came in here.
  std::int32_t advertised_port = 0;
  ListenerKinds kind = ListenerKinds::client;
};

/// What is the same for all requests of one connection.
struct ConnectionInfo {
  const ListenerInfo* listener = nullptr;
  std::string principal = "User:ANONYMOUS";
  std::string peer;                  ///< "127.0.0.1:54321".
  std::string client_software_name;  ///< As ApiVersions told it.
  std::string client_software_version;
};

/// Bytes of a file that go into the answer by sendfile, in the order of the answer's external parts.
struct FileRegion {
  std::shared_ptr<const runtime::File> file;
  std::uint64_t position = 0;
  std::uint64_t length = 0;
};

/// One request on its way through a handler: who asks, what the broker offers, and how its answer is sent.
/// Threads: the connection's executor only. Lives until the answer has been written.
class RequestContext {
 public:
  RequestContext(BrokerServices& services, const ApiTable& apis, ConnectionInfo& connection,
                 asio::any_io_executor executor)
      : services_(services), apis_(apis), connection_(connection), executor_(std::move(executor)) {}
  RequestContext(const RequestContext&) = delete;
  RequestContext& operator=(const RequestContext&) = delete;

  std::int16_t api_key() const noexcept { return api_key_; }
  std::int16_t api_version() const noexcept { return api_version_; }
  std::int32_t correlation_id() const noexcept { return correlation_id_; }
  const std::optional<std::string>& client_id() const noexcept { return client_id_; }
  ConnectionInfo& connection() noexcept { return connection_; }
  const ListenerInfo& listener() const noexcept { return *connection_.listener; }
  const std::string& principal() const noexcept { return connection_.principal; }

  BrokerServices& broker() noexcept { return services_; }
  const ApiTable& apis() const noexcept { return apis_; }
  runtime::Env& env() noexcept { return *services_.env; }
  const asio::any_io_executor& executor() const noexcept { return executor_; }

  /// What this API does to the resources that its requests name (its row in the API table).
  AclOperation operation() const noexcept { return operation_; }
  /// Whether the principal may do this. All may do everything until an authorizer is configured.
  bool authorize(AclOperation operation, ResourceType type, std::string_view name) const noexcept;

  /// Says that the request has taken effect and from here on only waits: the connection's next request may start.
  void start_waiting() {
    if (on_effect_) std::exchange(on_effect_, nullptr)();
  }

  /// Bytes of the request's own frame that a handler may change (a batch is stamped where it lies).
  MutableBytesView mutable_bytes(BytesView in_frame) noexcept;
  /// The file bytes of the next external part of the answer.
  void add_file_region(FileRegion region) { regions_.push_back(std::move(region)); }
  const std::vector<FileRegion>& file_regions() const noexcept { return regions_; }

  /// The client expects no answer (acks=0).
  void send_no_answer() noexcept { wants_answer_ = false; }
  bool wants_answer() const noexcept { return wants_answer_; }
  /// Closes the connection after the answers before this one; the reason goes to the log.
  void close_connection(std::string reason) { close_reason_ = std::move(reason); }
  const std::string& close_reason() const noexcept { return close_reason_; }

  /// The answer says that something failed, at its top or in a part: counted once a request.
  void note_error() noexcept { has_error_ = true; }
  bool has_error() const noexcept { return has_error_; }

  /// The connection's end: a handler that waits stops waiting.
  bool is_cancelled() const noexcept { return cancelled_; }
  void cancel();
  /// Called by whoever waits for this request; cleared with nullptr.
  void set_on_cancel(std::function<void()> action) { on_cancel_ = std::move(action); }

 private:
  friend class Connection;

  BrokerServices& services_;
  const ApiTable& apis_;
  ConnectionInfo& connection_;
  asio::any_io_executor executor_;
  std::int16_t api_key_ = 0;
  std::int16_t api_version_ = 0;
  std::int32_t correlation_id_ = 0;
  AclOperation operation_ = AclOperation::none;
  std::optional<std::string> client_id_;
  Bytes frame_;
  std::function<void()> on_effect_;
  std::function<void()> on_cancel_;
  std::vector<FileRegion> regions_;
  std::string close_reason_;
  bool wants_answer_ = true;
  bool has_error_ = false;
  bool cancelled_ = false;
};

}  // namespace barnabas::broker
