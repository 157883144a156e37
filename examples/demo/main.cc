// The main job on real data, in two acts: loads Debian's package index through our producer into our broker and reads
// it back with our consumer, every record once, in order, byte for byte; then three processes in a group read it, of
// which one is killed. Ends with 0 only when both came to the same sums.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "examples/demo/broker_process.h"
#include "examples/demo/hand_over.h"
#include "examples/demo/input.h"
#include "examples/demo/interrupt.h"
#include "examples/demo/load.h"
#include "examples/demo/member.h"
#include "examples/demo/read_back.h"

namespace demo {
namespace {

double own_cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/// Prints what differs; true when nothing does.
bool agree(const Loaded& loaded, const ReadBack& read) {
  for (const std::string& complaint : read.disorder) fmt::print(stderr, "out of order: {}\n", complaint);
  bool same = read.disorder.empty() && loaded.failed == 0;
  if (loaded.failed > 0)
    fmt::print(stderr, "{} records were not delivered, the first: {}\n", loaded.failed, loaded.first_failure);
  fmt::print("\n{:<10} {:>9} {:>9}  {:<24} {}\n", "partition", "sent", "read", "SHA-256", "");
  for (std::size_t p = 0; p < loaded.partitions.size(); ++p) {
    const bool equal = loaded.partitions[p] == read.partitions[p];
    same = same && equal;
    fmt::print("{:<10} {:>9} {:>9}  {}...  {}\n", p, loaded.partitions[p].records, read.partitions[p].records,
               read.partitions[p].digest.substr(0, 21), equal ? "agrees" : "DIFFERS");
  }
  return same;
}

void print_sections(const ReadBack& read) {
  std::vector<std::pair<std::string, std::uint64_t>> sections(read.sections.begin(), read.sections.end());
  std::sort(sections.begin(), sections.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (sections.empty()) return;
  fmt::print("\nthe largest sections\n");
  for (std::size_t i = 0; i < std::min<std::size_t>(10, sections.size()); ++i) {
    fmt::print("  {:<24} {:>7}\n", sections[i].first, sections[i].second);
  }
}

struct Cpu {
  double load = 0;
  double read = 0;
  double broker = 0;
};

void print_table(const Loaded& loaded, const ReadBack& read, const Cpu& cpu) {
  const double ratio =
      loaded.batch_bytes == 0 ? 0 : static_cast<double>(loaded.record_bytes) / static_cast<double>(loaded.batch_bytes);
  fmt::print("\n{:<28} {:>12}\n", "records", loaded.acknowledged);
  fmt::print("{:<28} {:>12}\n", "bytes", loaded.record_bytes);
  fmt::print("{:<28} {:>12.2f}\n", "compression ratio (zstd)", ratio);
  fmt::print("{:<28} {:>12.0f}\n", "sent, records/s", static_cast<double>(loaded.acknowledged) / loaded.seconds);
  fmt::print("{:<28} {:>12.0f}\n", "read, records/s", static_cast<double>(read.records) / read.seconds);
  fmt::print("{:<28} {:>12.2f}\n", "producer CPU, seconds", cpu.load);
  fmt::print("{:<28} {:>12.2f}\n", "consumer CPU, seconds", cpu.read);
  fmt::print("{:<28} {:>12.2f}\n", "broker CPU, seconds", cpu.broker);
  fmt::print("{:<28} {:>12.2f}\n", "latency p50, ms", loaded.latency_p50_ms);
  fmt::print("{:<28} {:>12.2f}\n", "latency p99, ms", loaded.latency_p99_ms);
}

/// Prints the second act; true when each record was processed, and nothing else.
bool agree(const Loaded& loaded, const HandOver& group) {
  for (const std::string& complaint : group.problems) fmt::print(stderr, "{}\n", complaint);
  fmt::print("\nthree processes in a group read it once more; member {} (pid {}) is killed with SIGKILL\n\n",
             group.victim + 1, group.victim_pid);
  fmt::print("{:<10} {:<10} {:<10} {:>9} {:>9}  {:<24}\n", "partition", "owner", "then", "processed", "repeated",
             "SHA-256");
  bool same = group.problems.empty();
  std::uint64_t repeated = 0;
  for (std::size_t p = 0; p < loaded.partitions.size(); ++p) {
    const HandOver::Part& part = group.partitions.at(p);
    const bool equal = loaded.partitions[p] == part.sum;
    same = same && equal;
    repeated += part.repeated;
    fmt::print("{:<10} {:<10} {:<10} {:>9} {:>9}  {}...  {}\n", p, fmt::format("member {}", part.owner_before + 1),
               fmt::format("member {}", part.owner_after + 1), part.sum.records + part.repeated, part.repeated,
               part.sum.digest.substr(0, 21), equal ? "agrees" : "DIFFERS");
  }
  fmt::print("\n{:<28} {:>12}\n", "killed after, records", group.records_before);
  fmt::print("{:<28} {:>12}\n", "session.timeout.ms", kSessionTimeoutMs);
  fmt::print("{:<28} {:>12.0f}\n", "hand-over took, ms", group.hand_over_seconds * 1e3);
  fmt::print("{:<28} {:>12}\n", "processed twice, records", repeated);
  fmt::print("{:<28} {:>12.1f}\n", "the whole act, seconds", group.seconds);
  return same;
}

int run(const std::string& input, const std::string& broker_binary) {
  const std::vector<Item> items = input.empty() ? read_package_index() : read_lines(input);
  BrokerProcess broker(broker_binary);
  fmt::print("broker on {}, data in {}\n", broker.bootstrap_servers(), broker.directory());

  Cpu cpu;
  const double before = own_cpu_seconds();
  const Loaded loaded = load(broker.bootstrap_servers(), items);
  const double between = own_cpu_seconds();
  const ReadBack read = read_back(broker.bootstrap_servers(), loaded.acknowledged);
  cpu.load = between - before;
  cpu.read = own_cpu_seconds() - between;
  cpu.broker = broker.cpu_seconds();
  bool good = agree(loaded, read) && loaded.acknowledged == items.size();
  print_table(loaded, read, cpu);
  print_sections(read);
  std::fflush(stdout);

  good = agree(loaded, hand_over(broker.bootstrap_servers(), loaded.partitions)) && good;
  if (!broker.stop()) {
    fmt::print(stderr, "the broker did not end cleanly\n");
    good = false;
  }
  fmt::print("\n{}\n",
             good ? "all records came back once, in order, unchanged; and the group processed every one of them"
                  : "FAILED: see above");
  return good ? 0 : 1;
}

}  // namespace
}  // namespace demo

int main(int argc, char** argv) {
  CLI::App app{"Loads real data through producer, broker and consumers, and checks every record"};
  std::string input;
  std::string broker = (std::filesystem::canonical("/proc/self/exe").parent_path() / "barnabas-broker").string();
  app.add_option("--input", input, "A file to load, a record a line (default: Debian's package index)");
  app.add_option("--broker", broker, "The barnabas-broker to start")->capture_default_str();
  std::string member_of;
  double pace = 0;
  app.add_option("--member-of", member_of)->group("");  // how the program starts itself for the second act
  app.add_option("--pace", pace)->group("");
  CLI11_PARSE(app, argc, argv);
  demo::catch_interrupts();
  try {
    if (!member_of.empty()) return demo::run_member(member_of, pace);
    return demo::run(input, broker);
  } catch (const std::exception& error) {
    fmt::print(stderr, "barnabas-demo: {}\n", error.what());
    return 1;
  }
}
