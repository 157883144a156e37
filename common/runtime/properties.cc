#include "common/runtime/properties.h"

#include <cstdint>
#include <optional>

namespace barnabas::runtime {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\f';
}
bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto byte = [&out](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xC0 | code_point >> 6);
    byte(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    byte(0xE0 | code_point >> 12);
    byte(0x80 | (code_point >> 6 & 0x3F));
    byte(0x80 | (code_point & 0x3F));
  } else {
    byte(0xF0 | code_point >> 18);
    byte(0x80 | (code_point >> 12 & 0x3F));
    byte(0x80 | (code_point >> 6 & 0x3F));
    byte(0x80 | (code_point & 0x3F));
  }
}

/// One logical line: continuation lines joined, escapes still in place.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}

  std::optional<std::string> next() {
    for (;;) {
      skip_blank_lines();
      if (position_ >= text_.size()) return std::nullopt;
      if (text_[position_] == '#' || text_[position_] == '!') {
        skip_natural_line();
        continue;
      }
      return logical_line();
    }
  }
  std::size_t line_number() const { return line_number_; }

 private:
  void skip_blank_lines() {
    while (position_ < text_.size() && (is_blank(text_[position_]) || is_line_end(text_[position_]))) advance();
  }
  void skip_natural_line() {
    while (position_ < text_.size() && !is_line_end(text_[position_])) advance();
  }
  void advance() {
    if (text_[position_] == '\n') ++line_number_;
    ++position_;
  }
  void skip_line_end() {
    if (position_ < text_.size() && text_[position_] == '\r') advance();
    if (position_ < text_.size() && text_[position_] == '\n') advance();
  }

  std::string logical_line() {
    std::string line;
    while (position_ < text_.size() && !is_line_end(text_[position_])) {
      const char c = text_[position_];
      advance();
      if (c != '\\') {
        line.push_back(c);
      } else if (position_ >= text_.size()) {
        break;
      } else if (is_line_end(text_[position_])) {
        skip_line_end();
        while (position_ < text_.size() && is_blank(text_[position_])) advance();
      } else {
        line.push_back(c);
        line.push_back(text_[position_]);
        advance();
      }
    }
    return line;
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t line_number_ = 1;
};

std::optional<std::uint32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    value <<= 4;
    if (c >= '0' && c <= '9')
      value |= static_cast<std::uint32_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      value |= static_cast<std::uint32_t>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      value |= static_cast<std::uint32_t>(c - 'A' + 10);
    else
      return std::nullopt;
  }
  return value;
}

/// The code point of the \u escape at `text` ("uXXXX", perhaps followed by the second half of a surrogate pair).
std::optional<std::uint32_t> unicode_escape(std::string_view text, std::size_t& used) {
  const auto first = hex4(text.substr(1));
  if (!first) return std::nullopt;
  used = 5;
  if (*first < 0xD800 || *first > 0xDBFF || text.substr(used, 2) != "\\u") return first;
  const auto second = hex4(text.substr(used + 2));
  if (!second) return std::nullopt;
  if (*second < 0xDC00 || *second > 0xDFFF) return first;
  used += 6;
  return 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00);
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    switch (const char c = text[++i]) {
      case 't':
        out.push_back('\t');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'u': {
        std::size_t used = 0;
        const auto code_point = unicode_escape(text.substr(i), used);
        if (!code_point) return std::nullopt;
        append_utf8(out, *code_point);
        i += used - 1;
        break;
      }
      default:
        out.push_back(c);
    }
  }
  return out;
}

/// Where the key ends: at the first blank, '=' or ':' that no backslash precedes.
std::size_t end_of_key(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\')
      ++i;
    else if (line[i] == '=' || line[i] == ':' || is_blank(line[i]))
      return i;
  }
  return line.size();
}

std::string_view value_after(std::string_view line, std::size_t key_end) {
  std::size_t i = key_end;
  while (i < line.size() && is_blank(line[i])) ++i;
  if (i < line.size() && (line[i] == '=' || line[i] == ':')) ++i;
  while (i < line.size() && is_blank(line[i])) ++i;
  return line.substr(i);
}

}  // namespace

Result<Properties> parse_properties(std::string_view text) {
  Properties properties;
  LineReader lines(text);
  while (const auto line = lines.next()) {
    const std::size_t key_end = end_of_key(*line);
    auto key = unescape(std::string_view(*line).substr(0, key_end));
    auto value = unescape(value_after(*line, key_end));
    if (!key || !value) {
      return failure(Errc::invalid_config,
                     "malformed \\u escape before the end of line " + std::to_string(lines.line_number()));
    }
    properties.insert_or_assign(std::move(*key), std::move(*value));
  }
  return properties;
}

}  // namespace barnabas::runtime
