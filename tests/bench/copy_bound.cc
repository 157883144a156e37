// What the clients and a broker's produce cost at the least: `copy_bound consumer|producer|broker RECORD_BYTES
// TOTAL_BYTES [FILE]` prints the CPU seconds of a process that does, for uncompressed records, only what nobody can
// leave out, in memory that it uses again and again. The other end of the connection is another process, whose time is
// not counted.
//   consumer: receives, and computes CRC-32C
//   producer: copies records into batches, computes CRC-32C, sends four batches a call
//   broker:   receives four batches a request, computes CRC-32C, appends each of them to FILE
#include <fcntl.h>
#include <isa-l/crc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/bench/bound.h"

namespace {

using Memory = std::vector<unsigned char>;

constexpr long kBatchBytes = 130'907;  // what our producer fills with 100 B records at batch.size=131072
constexpr long kRequestBytes = 4 * kBatchBytes;
constexpr long kReserveBytes = 64 * 1024 * 1024;

Memory noise(long bytes) {
  Memory memory(static_cast<std::size_t>(bytes));
  for (unsigned char& byte : memory) byte = static_cast<unsigned char>(std::rand());
  return memory;
}

/// Summed up, so that no compiler leaves it out.
unsigned checksum(Memory& request) {
  unsigned sum = 0;
  for (long at = 0; at < kRequestBytes; at += kBatchBytes) {
    sum += crc32_iscsi(request.data() + at, static_cast<int>(kBatchBytes), 0);
  }
  return sum;
}

bool receive(int connection, Memory& request) {
  for (long got = 0; got < kRequestBytes;) {
    const long count = recv(connection, request.data() + got, static_cast<std::size_t>(kRequestBytes - got), 0);
    if (count <= 0) return false;
    got += count;
  }
  return true;
}

void send_all(int connection, const Memory& request) {
  for (long at = 0; at < kRequestBytes;) {
    const long count = send(connection, request.data() + at, static_cast<std::size_t>(kRequestBytes - at), 0);
    if (count <= 0) die("send");
    at += count;
  }
}

unsigned consume(int connection) {
  Memory request(kRequestBytes);
  unsigned sum = 0;
  while (receive(connection, request)) sum += checksum(request);
  return sum;
}

unsigned produce(int connection, long record_bytes, long total) {
  constexpr long kSpare = 64 * 1024;
  const Memory values = noise(kSpare + record_bytes);
  Memory request(kRequestBytes);
  unsigned sum = 0;
  unsigned long record = 0;
  for (long sent = 0; sent < total; sent += kRequestBytes) {
    for (long at = 0; at + record_bytes <= kRequestBytes; at += record_bytes) {
      std::memcpy(request.data() + at, values.data() + record++ * 131 % kSpare, static_cast<std::size_t>(record_bytes));
    }
    sum += checksum(request);
    send_all(connection, request);
  }
  return sum;
}

unsigned append(int connection, const char* path) {
  const int file = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
  if (file < 0) die(path);
  Memory request(kRequestBytes);
  unsigned sum = 0;
  for (long end = 0, reserved = 0; receive(connection, request);) {
    if (end + kRequestBytes > reserved) {  // as our broker does on ext4; elsewhere it may fail
      static_cast<void>(fallocate(file, FALLOC_FL_KEEP_SIZE, reserved, kReserveBytes) == 0);
      reserved += kReserveBytes;
    }
    sum += checksum(request);
    for (long at = 0; at < kRequestBytes; at += kBatchBytes, end += kBatchBytes) {
      if (pwrite(file, request.data() + at, kBatchBytes, end) != kBatchBytes) die("write");
    }
  }
  close(file);
  unlink(path);
  return sum;
}

/// The other end.
[[noreturn]] void serve(const sockaddr_in& address, bool sends, long total) {
  const int connection = connect_to(address);
  Memory request = noise(kRequestBytes);
  if (sends) {
    for (long sent = 0; sent < total; sent += kRequestBytes) send_all(connection, request);
  } else {
    while (receive(connection, request)) continue;
  }
  _exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string what = argv[1];
  const long record_bytes = std::max(1L, std::atol(argv[2]));
  const long total = std::atol(argv[3]);
  if (what == "broker" && argc < 5) return 2;
  sockaddr_in address{};
  const int server = listen_on_any(address);
  if (fork() == 0) serve(address, what != "producer", total);
  const int connection = accept_one(server);
  const double before = cpu_seconds();
  const unsigned sum = what == "consumer"   ? consume(connection)
                       : what == "producer" ? produce(connection, record_bytes, total)
                                            : append(connection, argv[4]);
  const double spent = cpu_seconds() - before;
  close(connection);
  wait(nullptr);
  std::printf("%.6f\n", spent);
  return sum == 1 ? 3 : 0;
}
