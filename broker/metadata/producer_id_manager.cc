#include "broker/metadata/producer_id_manager.h"

namespace barnabas::metadata {
namespace {

constexpr std::int64_t kNone = -1;

}  // namespace

asio::awaitable<Result<std::int64_t>> ProducerIdManager::next() {
  for (;;) {
    if (const std::int64_t id = take(); id != kNone) co_return id;
    Result<ProducerIdBlock> block = co_await controller_.allocate_producer_ids();
    if (!block) co_return failure(std::move(block.error()));
    // Several may have asked at once: each block is kept, none is lost.
    const std::lock_guard lock(mutex_);
    blocks_.push_back(*block);
  }
}

std::int64_t ProducerIdManager::take() {
  const std::lock_guard lock(mutex_);
  while (!blocks_.empty()) {
    ProducerIdBlock& block = blocks_.front();
    if (block.count > 0) {
      --block.count;
      return block.first++;
    }
    blocks_.pop_front();
  }
  return kNone;
}

}  // namespace barnabas::metadata
