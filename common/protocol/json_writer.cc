#include "common/protocol/json_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace barnabas::protocol {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(BytesView bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t j = 0; j < 3; ++j)
      word = word << 8 | (j < left ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0);
    for (std::size_t j = 0; j < 4; ++j) out.push_back(j <= left ? kBase64[word >> (18 - 6 * j) & 63] : '=');
  }
  return out;
}

}  // namespace

struct JsonWriter::State {
  nlohmann::json root = nlohmann::json::object();
  std::vector<nlohmann::json*> open{&root};

  nlohmann::json& add(const char* name, nlohmann::json value) {
    nlohmann::json& parent = *open.back();
    if (name != nullptr) return parent[name] = std::move(value);
    parent.push_back(std::move(value));
    return parent.back();
  }

  template <typename Items>
  void add_array(const char* name, const Items& items) {
    nlohmann::json& array = add(name, nlohmann::json::array());
    for (const auto& item : items) array.push_back(item);
  }
};

JsonWriter::JsonWriter(std::int16_t message_version) : version(message_version), state_(std::make_unique<State>()) {}
JsonWriter::~JsonWriter() = default;

void JsonWriter::null(const char* name) {
  state_->add(name, nullptr);
}
void JsonWriter::integer(const char* name, std::int64_t value) {
  state_->add(name, value);
}
void JsonWriter::number(const char* name, double value) {
  state_->add(name, value);
}
void JsonWriter::boolean(const char* name, bool value) {
  state_->add(name, value);
}
void JsonWriter::text(const char* name, const std::string& value) {
  state_->add(name, value);
}
void JsonWriter::text(const char* name, const std::optional<std::string>& value) {
  value ? text(name, *value) : null(name);
}
void JsonWriter::uuid(const char* name, const Uuid& value) {
  state_->add(name, value.to_string());
}
void JsonWriter::bytes(const char* name, const Bytes& value) {
  state_->add(name, base64(value));
}
void JsonWriter::bytes(const char* name, const std::optional<Bytes>& value) {
  value ? bytes(name, *value) : null(name);
}
void JsonWriter::records(const char* name, const std::optional<RecordsRef>& value) {
  value ? void(state_->add(name, base64(value->bytes))) : null(name);
}

void JsonWriter::array(const char* name, const std::vector<std::int8_t>& value) {
  state_->add_array(name, value);
}
void JsonWriter::array(const char* name, const std::vector<std::int16_t>& value) {
  state_->add_array(name, value);
}
void JsonWriter::array(const char* name, const std::vector<std::int32_t>& value) {
  state_->add_array(name, value);
}
void JsonWriter::array(const char* name, const std::vector<std::int64_t>& value) {
  state_->add_array(name, value);
}
void JsonWriter::array(const char* name, const std::vector<std::string>& value) {
  state_->add_array(name, value);
}
void JsonWriter::array(const char* name, const std::vector<Uuid>& value) {
  begin_array(name);
  for (const Uuid& id : value) uuid(nullptr, id);
  end();
}

void JsonWriter::begin_object(const char* name) {
  state_->open.push_back(&state_->add(name, nlohmann::json::object()));
}
void JsonWriter::begin_array(const char* name) {
  state_->open.push_back(&state_->add(name, nlohmann::json::array()));
}
void JsonWriter::end() {
  state_->open.pop_back();
}
nlohmann::json JsonWriter::take() {
  return std::move(state_->root);
}

}  // namespace barnabas::protocol
