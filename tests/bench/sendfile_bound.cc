// What a broker's fetch costs at the least: `sendfile_bound FILE_BYTES TOTAL_BYTES` prints the CPU seconds of a process
// that does nothing but send a cached file over loopback, 1 MB a call. Another process reads; its time is not counted.
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/bench/bound.h"

namespace {

constexpr long kChunk = 1024 * 1024;  // max.partition.fetch.bytes, by default

[[noreturn]] void read_all(const sockaddr_in& address) {
  std::vector<char> buffer(kChunk);
  const int connection = connect_to(address);
  while (read(connection, buffer.data(), buffer.size()) > 0) continue;
  _exit(0);
}

FILE* cached_file(long bytes) {
  FILE* file = std::tmpfile();
  if (file == nullptr) die("tmpfile");
  std::vector<char> text(static_cast<std::size_t>(bytes));
  for (char& letter : text) letter = static_cast<char>(std::rand());
  if (std::fwrite(text.data(), 1, text.size(), file) != text.size() || std::fflush(file) != 0) die("write");
  return file;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const long length = std::max(kChunk, std::atol(argv[1]));
  const long total = std::atol(argv[2]);
  FILE* file = cached_file(length);
  sockaddr_in address{};
  const int server = listen_on_any(address);
  if (fork() == 0) read_all(address);
  const int connection = accept_one(server);
  const double before = cpu_seconds();
  for (long sent = 0; sent < total;) {
    off_t position = sent % length;
    const long wanted = std::min({kChunk, length - position, total - sent});
    const long got = sendfile(connection, fileno(file), &position, static_cast<std::size_t>(wanted));
    if (got <= 0) die("sendfile");
    sent += got;
  }
  const double spent = cpu_seconds() - before;
  close(connection);
  wait(nullptr);
  std::printf("%.6f\n", spent);
  return 0;
}
