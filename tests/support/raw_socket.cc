#include "tests/support/raw_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace barnabas::testing {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

std::uint16_t free_port() {
  const int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  const bool ok = bind(handle, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                  getsockname(handle, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(handle);
  if (!ok) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

RawSocket::RawSocket(std::uint16_t port, std::chrono::seconds patience)
    : handle_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in address = loopback(port);
  const timeval limit{patience.count(), 0};
  setsockopt(handle_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(handle_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(handle_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(handle_);
    throw std::runtime_error("cannot connect to port " + std::to_string(port));
  }
}

RawSocket::~RawSocket() {
  if (handle_ >= 0) close(handle_);
}

RawSocket::RawSocket(RawSocket&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}

bool RawSocket::send(BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(handle_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawSocket::send_frame(BytesView body) {
  const std::uint32_t size = htonl(static_cast<std::uint32_t>(body.size()));
  Bytes frame(sizeof size + body.size());
  std::copy_n(reinterpret_cast<const std::byte*>(&size), sizeof size, frame.begin());
  std::copy(body.begin(), body.end(), frame.begin() + sizeof size);
  return send(frame);
}

bool RawSocket::receive_exactly(MutableBytesView out) {
  while (!out.empty()) {
    const ssize_t got = recv(handle_, out.data(), out.size(), 0);
    if (got <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

std::optional<Bytes> RawSocket::receive_frame() {
  std::uint32_t size = 0;
  if (!receive_exactly({reinterpret_cast<std::byte*>(&size), sizeof size})) return std::nullopt;
  Bytes body(ntohl(size));
  if (!receive_exactly(body)) return std::nullopt;
  return body;
}

Bytes RawSocket::receive_rest() {
  Bytes rest;
  std::array<std::byte, 4096> piece{};
  for (;;) {
    const ssize_t got = recv(handle_, piece.data(), piece.size(), 0);
    if (got <= 0) return rest;
    rest.insert(rest.end(), piece.begin(), piece.begin() + got);
  }
}

bool RawSocket::wait_until_closed() {
  std::array<std::byte, 4096> rest{};
  for (;;) {
    const ssize_t got = recv(handle_, rest.data(), rest.size(), 0);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) return true;
    if (got < 0) return false;
  }
}

void RawSocket::finish_sending() {
  shutdown(handle_, SHUT_WR);
}

}  // namespace barnabas::testing
