#include "client/parallel/unfinished_offsets.h"

namespace barnabas::client {

std::uint64_t UnfinishedOffsets::add(std::int64_t offset, std::int32_t leader_epoch) {
  slots_.push_back({offset, leader_epoch, false});
  return first_number_ + slots_.size() - 1;
}

void UnfinishedOffsets::finish(std::uint64_t number) {
  slots_[static_cast<std::size_t>(number - first_number_)].finished = true;
  while (!slots_.empty() && slots_.front().finished) {
    mark_ = Mark{slots_.front().offset + 1, slots_.front().leader_epoch};
    slots_.pop_front();
    ++first_number_;
  }
}

}  // namespace barnabas::client
