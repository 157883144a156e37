#include "examples/demo/member.h"

#include <barnabas/barnabas.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <vector>

#include "examples/demo/interrupt.h"
#include "examples/demo/load.h"

namespace demo {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Partitions = barnabas::RebalanceListener::Partitions;

void tell(const std::vector<MemberEvent>& events) {
  const char* at = reinterpret_cast<const char*>(events.data());
  for (std::size_t left = events.size() * sizeof(MemberEvent); left > 0;) {
    const ssize_t wrote = write(STDOUT_FILENO, at, left);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) throw std::runtime_error("nobody listens to this member");
    at += wrote;
    left -= static_cast<std::size_t>(wrote);
  }
}

void tell(MemberEvent::Kind kind, const Partitions& partitions) {
  std::vector<MemberEvent> events;
  for (const auto& where : partitions) events.push_back({.kind = kind, .partition = where.partition});
  tell(events);
}

barnabas::RebalanceListener listener() {
  barnabas::RebalanceListener made;
  made.on_assigned = [](const Partitions& partitions) { tell(MemberEvent::Kind::assigned, partitions); };
  made.on_revoked = [](const Partitions& partitions) { tell(MemberEvent::Kind::revoked, partitions); };
  made.on_lost = [](const Partitions& partitions) { tell(MemberEvent::Kind::lost, partitions); };
  return made;
}

}  // namespace

int run_member(const std::string& bootstrap_servers, double records_per_second) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  barnabas::Consumer consumer{{{"bootstrap.servers", bootstrap_servers},
                               {"group.id", "demo"},
                               {"partition.assignment.strategy", "cooperative-sticky"},
                               {"session.timeout.ms", std::to_string(kSessionTimeoutMs)},
                               {"heartbeat.interval.ms", "100"},
                               {"auto.commit.interval.ms", "200"},
                               {"auto.offset.reset", "earliest"},
                               {"max.poll.records", "100"}}};
  consumer.subscribe({kTopic}, listener());
  Digest digest;
  auto busy_until = Clock::now();
  while (!is_interrupted()) {
    std::vector<MemberEvent> events;
    for (const auto& record : consumer.poll(50ms)) {
      events.push_back({MemberEvent::Kind::record, record.partition(), record.offset(), digest_of(record, digest)});
    }
    tell(events);
    const std::chrono::duration<double> work(static_cast<double>(events.size()) / records_per_second);
    busy_until = std::max(busy_until, Clock::now() - 100ms) + std::chrono::duration_cast<Clock::duration>(work);
    std::this_thread::sleep_until(busy_until);
  }
  consumer.close();
  return 0;
}

}  // namespace demo
