#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "common/runtime/temporary_directory.h"
#include "tests/support/golden.h"

namespace barnabas::metadata {

/// A data directory that Apache Kafka 4.3 wrote ("clean" or "unclean"), unpacked for one test.
class KafkaDirectory {
 public:
  explicit KafkaDirectory(const std::string& name) : name_(name) {
    const std::string archive = std::string(BARNABAS_SOURCE_DIR) + "/tests/golden/logdir/" + name + ".tar.gz";
    const std::string command = "tar -xzf '" + archive + "' -C '" + place_.path() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }
  std::string path() const { return place_.path(name_); }
  std::string log_path() const { return path() + "/__cluster_metadata-0"; }

  /// What Kafka's own classes read in one of its files.
  nlohmann::json decoded(const std::string& file) const {
    for (auto& line : testing::golden_lines("logdir/" + name_ + ".jsonl")) {
      if (line["path"] == file) return line;
    }
    ADD_FAILURE() << "no " << file;
    return {};
  }

 private:
  runtime::TemporaryDirectory place_;
  std::string name_;
};

}  // namespace barnabas::metadata
