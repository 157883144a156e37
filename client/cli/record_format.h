#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "barnabas/record.h"
#include "common/bytes/result.h"

namespace barnabas::cli {

/// What `consume --format` says of each record, in kcat's letters: %t topic, %p partition, %o offset, %k key, %s value,
/// %T time stamp (milliseconds), %h headers (a=b,c=d), %K and %S lengths of key and value (-1: null), %% a percent
/// sign; \n, \t and \\ as in C. A line end is added where the format does not end in one.
class RecordFormat {
 public:
  /// Errors: Errc::invalid_argument that names the letter.
  static Result<RecordFormat> parse(std::string_view text);

  /// Appends one record to `out`.
  void append(const RecordView& record, std::string& out) const;

 private:
  struct Part {
    char letter = 0;  ///< 0: literal text.
    std::string literal;
  };
  void add_literal(char character);

  std::vector<Part> parts_;
};

}  // namespace barnabas::cli
