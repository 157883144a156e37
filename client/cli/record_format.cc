#include "client/cli/record_format.h"

#include <fmt/format.h>

namespace barnabas::cli {
namespace {

constexpr std::string_view kLetters = "tpoksThKS";

long long length_of(const std::optional<std::string_view>& text) {
  return text ? static_cast<long long>(text->size()) : -1;
}

void append_headers(const HeadersView& headers, std::string& out) {
  bool first = true;
  for (const HeaderView& header : headers) {
    if (!first) out += ',';
    first = false;
    out += header.key;
    out += '=';
    if (header.value) out += *header.value;
  }
}

void append_field(char letter, const RecordView& record, std::string& out) {
  switch (letter) {
    case 't':
      out += record.topic();
      break;
    case 'p':
      fmt::format_to(std::back_inserter(out), "{}", record.partition());
      break;
    case 'o':
      fmt::format_to(std::back_inserter(out), "{}", record.offset());
      break;
    case 'k':
      out += record.key().value_or("");
      break;
    case 's':
      out += record.value().value_or("");
      break;
    case 'T':
      fmt::format_to(std::back_inserter(out), "{}", record.timestamp().time_since_epoch().count());
      break;
    case 'h':
      append_headers(record.headers(), out);
      break;
    case 'K':
      fmt::format_to(std::back_inserter(out), "{}", length_of(record.key()));
      break;
    case 'S':
      fmt::format_to(std::back_inserter(out), "{}", length_of(record.value()));
      break;
    default:
      break;
  }
}

char unescape(char letter) {
  if (letter == 'n') return '\n';
  if (letter == 't') return '\t';
  if (letter == 'r') return '\r';
  return letter;
}

}  // namespace

void RecordFormat::add_literal(char character) {
  if (parts_.empty() || parts_.back().letter != 0) parts_.emplace_back();
  parts_.back().literal += character;
}

Result<RecordFormat> RecordFormat::parse(std::string_view text) {
  RecordFormat format;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char character = text[at];
    if ((character != '%' && character != '\\') || at + 1 == text.size()) {
      format.add_literal(character);
      continue;
    }
    const char letter = text[++at];
    if (character == '\\') {
      format.add_literal(unescape(letter));
    } else if (letter == '%') {
      format.add_literal('%');
    } else if (kLetters.find(letter) != std::string_view::npos) {
      format.parts_.push_back({letter, {}});
    } else {
      return failure(Errc::invalid_argument, fmt::format("--format: no such field: %{} (known: {})", letter, kLetters));
    }
  }
  const bool ends_line =
      !format.parts_.empty() && format.parts_.back().letter == 0 && format.parts_.back().literal.back() == '\n';
  if (!ends_line) format.add_literal('\n');
  return format;
}

void RecordFormat::append(const RecordView& record, std::string& out) const {
  for (const Part& part : parts_) {
    if (part.letter == 0) {
      out += part.literal;
    } else {
      append_field(part.letter, record, out);
    }
  }
}

}  // namespace barnabas::cli
