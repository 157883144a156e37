#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "common/bytes/bytes.h"

namespace barnabas::testing {

/// A port of 127.0.0.1 that nobody listens on right now.
std::uint16_t free_port();

/// A plain blocking TCP connection to 127.0.0.1, for saying what no client of ours would say.
class RawSocket {
 public:
  /// `patience`: how long a receive waits.
  explicit RawSocket(std::uint16_t port, std::chrono::seconds patience = std::chrono::seconds(20));
  ~RawSocket();
  RawSocket(RawSocket&& other) noexcept;
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  /// False when the peer has closed.
  bool send(BytesView bytes);
  /// Prefixed with its length, as a request is.
  bool send_frame(BytesView body);
  /// The body of the next frame; none when the peer closed, or patience ended.
  std::optional<Bytes> receive_frame();
  /// All that comes until the peer closes, or patience ends.
  Bytes receive_rest();
  /// Waits until the peer closes; false when patience ended. What it still sent is thrown away.
  bool wait_until_closed();
  /// No more will be sent: the peer reads an end of file.
  void finish_sending();

 private:
  bool receive_exactly(MutableBytesView out);

  int handle_ = -1;
};

}  // namespace barnabas::testing
