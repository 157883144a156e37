#pragma once

#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

/// What the programs have in common that measure the machine's bounds: one connection over loopback, and the CPU time
/// of this process. They end where something fails.

[[noreturn]] inline void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

inline double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/// On a free port of 127.0.0.1: `address`.
inline int listen_on_any(sockaddr_in& address) {
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(server, 1) != 0) die("listen");
  if (getsockname(server, reinterpret_cast<sockaddr*>(&address), &size) != 0) die("getsockname");
  return server;
}

inline int accept_one(int server) {
  const int connection = accept(server, nullptr, nullptr);
  if (connection < 0) die("accept");
  return connection;
}

inline int connect_to(const sockaddr_in& address) {
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("connect");
  return connection;
}
