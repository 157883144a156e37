// What a broker's fetch costs at the least: `sendfile_bound FILE_BYTES TOTAL_BYTES` prints the CPU seconds of a process
// that does nothing but send a cached file over loopback, 1 MB a call. Another process reads; its time is not counted.
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr long kChunk = 1024 * 1024;  // max.partition.fetch.bytes, by default

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

[[noreturn]] void read_all(const sockaddr_in& address) {
  std::vector<char> buffer(kChunk);
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("connect");
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
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(server, 1) != 0) die("listen");
  if (getsockname(server, reinterpret_cast<sockaddr*>(&address), &size) != 0) die("getsockname");
  if (fork() == 0) read_all(address);
  const int connection = accept(server, nullptr, nullptr);
  if (connection < 0) die("accept");
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
