#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "common/bytes/result.h"
#include "common/runtime/config_table.h"

namespace barnabas::broker {

/// Counts connections against max.connections, max.connections.per.ip and its overrides.
/// Threads: any. Lives longer than its places.
class ConnectionLimits {
 public:
  struct Limits {
    std::size_t total = 0;
    std::size_t per_ip = 0;
    std::map<std::string, std::size_t> per_ip_overrides;  ///< By address, as a peer's name has it.
  };

  /// One connection's place; gives it back when destroyed.
  class Place {
   public:
    Place(ConnectionLimits& limits, std::string address) : limits_(limits), address_(std::move(address)) {}
    ~Place() { limits_.leave(address_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    ConnectionLimits& limits_;
    std::string address_;
  };

  explicit ConnectionLimits(Limits limits) : limits_(std::move(limits)) {}
  /// Errors: Errc::invalid_config for overrides that are not `address:count,...`.
  static Result<Limits> limits_of(const runtime::ParsedConfig& config);

  /// Errors, saying which limit is reached: Errc::buffer_full for that of the broker, which a connection can wait for;
  /// protocol::ErrorCode::policy_violation for that of its address.
  Result<std::unique_ptr<Place>> enter(const std::string& peer_name);
  std::size_t count() const;

 private:
  void leave(const std::string& address);

  const Limits limits_;
  mutable std::mutex mutex_;
  std::size_t count_ = 0;                     // mutex_
  std::map<std::string, std::size_t> by_ip_;  // mutex_
};

/// "127.0.0.1" of "127.0.0.1:54321", "::1" of "[::1]:54321".
std::string address_of(const std::string& peer_name);

}  // namespace barnabas::broker
