// The main job on real data: loads Debian's package index through our producer into our broker, reads it back with our
// consumer, and ends with 0 only when every record came back once, in order, byte for byte.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <filesystem>

#include "examples/demo/broker_process.h"
#include "examples/demo/input.h"
#include "examples/demo/interrupt.h"
#include "examples/demo/load.h"
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
  const BrokerProcess::Ended ended = broker.stop();
  cpu.broker = ended.cpu_seconds;

  const bool same = agree(loaded, read) && loaded.acknowledged == items.size();
  print_table(loaded, read, cpu);
  print_sections(read);
  if (!ended.clean) fmt::print(stderr, "the broker did not end cleanly\n");
  fmt::print("\n{}\n", same && ended.clean ? "all records came back once, in order, unchanged" : "FAILED: see above");
  return same && ended.clean ? 0 : 1;
}

}  // namespace
}  // namespace demo

int main(int argc, char** argv) {
  CLI::App app{"Loads real data through producer, broker and consumer, and checks every record"};
  std::string input;
  std::string broker = (std::filesystem::canonical("/proc/self/exe").parent_path() / "barnabas-broker").string();
  app.add_option("--input", input, "A file to load, a record a line (default: Debian's package index)");
  app.add_option("--broker", broker, "The barnabas-broker to start")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  demo::catch_interrupts();
  try {
    return demo::run(input, broker);
  } catch (const std::exception& error) {
    fmt::print(stderr, "barnabas-demo: {}\n", error.what());
    return 1;
  }
}
