#pragma once

#include <cstddef>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>

namespace barnabas {
inline namespace v0 {

template <typename Signature, std::size_t kCapacity>
class InlineFunction;

/// A move-only std::function that never allocates: the callable lives in `kCapacity` bytes inside. A larger callable
/// does not compile; capture a pointer, or a std::unique_ptr to what is larger. Threads: as the callable's.
template <typename R, typename... Args, std::size_t kCapacity>
class InlineFunction<R(Args...), kCapacity> {
  struct Table;

 public:
  /// How to use a callable that place() moved to memory of its own size. For the library's lists of many callbacks.
  class Placed {
   public:
    R operator()(void* at, Args... args) const { return table_->call(at, std::forward<Args>(args)...); }
    void destroy(void* at) const noexcept { table_->destroy(at); }
    std::size_t bytes() const noexcept { return table_->bytes; }

   private:
    friend class InlineFunction;
    explicit Placed(const Table* table) noexcept : table_(table) {}
    const Table* table_;
  };

  InlineFunction() noexcept = default;
  InlineFunction(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor): nullptr means none

  template <typename Callable>
  requires(!std::is_same_v<std::remove_cvref_t<Callable>, InlineFunction> &&
           std::is_invocable_r_v<R, std::remove_cvref_t<Callable>&, Args...>)
      InlineFunction(Callable&& callable) {  // NOLINT(google-explicit-constructor): as std::function
    using Stored = std::remove_cvref_t<Callable>;
    static_assert(sizeof(Stored) <= kCapacity, "the callback's captures are too large to be stored inline");
    static_assert(alignof(Stored) <= alignof(std::max_align_t));
    static_assert(std::is_nothrow_move_constructible_v<Stored>);
    ::new (static_cast<void*>(storage_)) Stored(std::forward<Callable>(callable));
    table_ = &kTable<Stored>;
  }
  InlineFunction(InlineFunction&& other) noexcept { take(other); }
  InlineFunction& operator=(InlineFunction&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  InlineFunction(const InlineFunction&) = delete;
  InlineFunction& operator=(const InlineFunction&) = delete;
  ~InlineFunction() { reset(); }

  /// Takes a callable back from where it was placed.
  InlineFunction(Placed placed, void* from) noexcept : table_(placed.table_) { table_->move(from, storage_); }
  /// Moves the callable to `at`, aligned as std::max_align_t is, of kCapacity bytes at most; this is empty then. Not of
  /// an empty function.
  Placed place(void* at) noexcept {
    table_->move(storage_, at);
    return Placed(std::exchange(table_, nullptr));
  }

  explicit operator bool() const noexcept { return table_ != nullptr; }
  R operator()(Args... args) { return table_->call(storage_, std::forward<Args>(args)...); }

 private:
  struct Table {
    R (*call)(void*, Args&&...);
    void (*move)(void* from, void* to) noexcept;  // leaves `from` destroyed
    void (*destroy)(void*) noexcept;
    std::size_t bytes;
  };
  template <typename Stored>
  static constexpr Table kTable{
      [](void* at, Args&&... args) -> R {
        return static_cast<R>(std::invoke(*static_cast<Stored*>(at), std::forward<Args>(args)...));
      },
      [](void* from, void* to) noexcept {
        ::new (to) Stored(std::move(*static_cast<Stored*>(from)));
        static_cast<Stored*>(from)->~Stored();
      },
      [](void* at) noexcept { static_cast<Stored*>(at)->~Stored(); }, sizeof(Stored)};

  void take(InlineFunction& other) noexcept {
    if (other.table_ == nullptr) return;
    other.table_->move(other.storage_, storage_);
    table_ = std::exchange(other.table_, nullptr);
  }
  void reset() noexcept {
    if (table_ != nullptr) std::exchange(table_, nullptr)->destroy(storage_);
  }

  alignas(std::max_align_t) std::byte storage_[kCapacity];
  const Table* table_ = nullptr;
};

}  // namespace v0
}  // namespace barnabas
