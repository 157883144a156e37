#pragma once

#include <string>
#include <vector>

namespace barnabas::cli {

/// Lines of columns that stand below each other, as wide as their widest text; numbers to the right.
class Table {
 public:
  struct Column {
    std::string name;
    bool is_number = false;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// A text for each column.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// The names, then the rows; no spaces at the ends of lines.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace barnabas::cli
