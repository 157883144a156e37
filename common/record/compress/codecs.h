#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "common/record/compress/codec.h"

struct ZSTD_CCtx_s;

/// The single codecs behind compress() and make_decompressor().
namespace barnabas::record::codecs {

Result<void> gzip_compress(int level, BytesView plain, Bytes& out);
Result<void> snappy_compress(BytesView plain, Bytes& out);
Result<void> lz4_compress(int level, BytesView plain, Bytes& out);
Result<void> zstd_compress(int level, BytesView plain, Bytes& out);
Result<void> zstd_compress(ZSTD_CCtx_s* context, int level, BytesView plain, Bytes& out);

Result<std::unique_ptr<Decompressor>> gzip_decompressor(BytesView compressed);
Result<std::unique_ptr<Decompressor>> snappy_decompressor(BytesView compressed);
Result<std::unique_ptr<Decompressor>> lz4_decompressor(BytesView compressed);
Result<std::unique_ptr<Decompressor>> zstd_decompressor(BytesView compressed);

/// A codec's state, borrowed from the thread's spare ones and given back: making one costs more than a small batch.
/// `Traits` has: using Handle; static Handle make() (null on failure); static void free(Handle); and it may have
/// static bool is_worth_keeping(Handle).
/// Threads: given back to the thread that destroys it.
template <typename Traits>
class SpareState {
 public:
  using Handle = typename Traits::Handle;
  SpareState() {
    auto& spares = spares_of_thread().handles;
    if (spares.empty()) {
      handle_ = Traits::make();
    } else {
      handle_ = spares.back();
      spares.pop_back();
    }
  }
  SpareState(const SpareState&) = delete;
  SpareState& operator=(const SpareState&) = delete;
  ~SpareState() {
    if (handle_ == nullptr) return;
    auto& spares = spares_of_thread().handles;
    if (spares.size() < kMostSpares && is_worth_keeping(handle_)) {
      spares.push_back(handle_);
    } else {
      Traits::free(handle_);
    }
  }
  Handle get() const noexcept { return handle_; }

 private:
  static constexpr std::size_t kMostSpares = 2;
  static bool is_worth_keeping(Handle handle) {
    if constexpr (requires { Traits::is_worth_keeping(handle); }) return Traits::is_worth_keeping(handle);
    return true;
  }
  struct Spares {
    std::vector<Handle> handles;
    Spares() { handles.reserve(kMostSpares); }
    ~Spares() {
      for (Handle handle : handles) Traits::free(handle);
    }
  };
  static Spares& spares_of_thread() {
    thread_local Spares spares;
    return spares;
  }
  Handle handle_ = nullptr;
};

}  // namespace barnabas::record::codecs
