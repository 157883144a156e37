#include "client/producer/compressors.h"

#include <algorithm>
#include <utility>

namespace barnabas::client {
namespace {

constexpr std::size_t kMostCompressors = 4;
constexpr std::size_t kPartOfBuffer = 4;
constexpr std::size_t kPlainPartOfBuffer = 16;
constexpr std::size_t kMostPlainPerBatchSize = 16;

/// The state, the output, and the copy of the output that is made before the plain batch is given back.
std::size_t room_bytes(const ProducerConfig& config) {
  return record::Compressor::expected_state_bytes(config.compression, config.compression_level) +
         2 * most_plain_bytes(config);
}

std::size_t most_rooms(const ProducerConfig& config) {
  const std::size_t fit = config.buffer_bytes / kPartOfBuffer / std::max(room_bytes(config), std::size_t{1});
  return std::clamp(fit, std::size_t{1}, kMostCompressors);
}

}  // namespace

std::size_t most_plain_bytes(const ProducerConfig& config) {
  const std::size_t wanted = config.batch_bytes * kMostPlainPerBatchSize;
  return std::max(std::min(wanted, config.buffer_bytes / kPlainPartOfBuffer), config.batch_bytes);
}

Compressors::Compressors(const ProducerConfig& config, runtime::Env& env)
    : config_(config), most_(most_rooms(config)), changed_(env.make_signal()) {
  spare_.reserve(most_);
}

std::size_t Compressors::reserved_bytes(const ProducerConfig& config) {
  if (config.compression == record::CompressionType::none) return 0;
  return std::min(config.buffer_bytes / kPartOfBuffer, most_rooms(config) * room_bytes(config));
}

CompressorRoom Compressors::take() {
  std::optional<CompressorRoom> room;
  bool is_new = false;
  changed_->wait_until(runtime::MonotonicTime::max(), [&] {
    if (room || is_new) return true;  // a Signal may ask once more than it must
    if (!spare_.empty()) {
      room = std::move(spare_.back());
      spare_.pop_back();
    } else if (made_ < most_) {
      ++made_;
      is_new = true;
    }
    return room || is_new;
  });
  if (!room) room = CompressorRoom{record::Compressor(config_.compression, config_.compression_level), Bytes()};
  return std::move(*room);
}

void Compressors::give_back(CompressorRoom room) {
  // A record far larger than batch.size had one: not kept.
  if (room.output.capacity() > 2 * most_plain_bytes(config_)) room.output = Bytes();
  changed_->notify([this, &room] { spare_.push_back(std::move(room)); });
}

}  // namespace barnabas::client
