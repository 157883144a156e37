#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/bytes/uuid.h"
#include "common/protocol/records_ref.h"

namespace barnabas::protocol {

/// Builds the JSON of one message: Kafka's names, bytes as base64. It keeps nlohmann's templates out of the generated
/// files. A null `name` adds to the array that is open.
class JsonWriter {
 public:
  explicit JsonWriter(std::int16_t message_version);
  ~JsonWriter();
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  const std::int16_t version;

  void null(const char* name);
  void integer(const char* name, std::int64_t value);
  void number(const char* name, double value);
  void boolean(const char* name, bool value);
  void text(const char* name, const std::string& value);
  void text(const char* name, const std::optional<std::string>& value);
  void uuid(const char* name, const Uuid& value);
  void bytes(const char* name, const Bytes& value);
  void bytes(const char* name, const std::optional<Bytes>& value);
  void records(const char* name, const std::optional<RecordsRef>& value);

  void array(const char* name, const std::vector<std::int8_t>& value);
  void array(const char* name, const std::vector<std::int16_t>& value);
  void array(const char* name, const std::vector<std::int32_t>& value);
  void array(const char* name, const std::vector<std::int64_t>& value);
  void array(const char* name, const std::vector<std::string>& value);
  void array(const char* name, const std::vector<Uuid>& value);
  template <typename Item>
  void array(const char* name, const std::optional<std::vector<Item>>& value) {
    value ? array(name, *value) : null(name);
  }

  void begin_object(const char* name);
  void begin_array(const char* name);
  void end();
  nlohmann::json take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace barnabas::protocol
