#include "tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sde/formula/parse.hpp"

namespace sde::formula {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// The character at a place, whole where it takes several bytes, as a message shows it.
std::string shown(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte >= 0x20 && byte < 0x7f) return std::string(1, text[at]);
  const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
  const auto part = text.substr(at, length);
  const bool whole = length > 1 && part.size() == length &&
                     std::all_of(part.begin() + 1, part.end(), [](char c) { return (c & 0xc0) == 0x80; });
  return whole ? std::string(part) : fmt::format("\\x{:02x}", byte);
}

std::size_t end_of_number(std::string_view text, std::size_t from) {
  std::size_t to = from;
  while (to < text.size() && (is_digit(text[to]) || text[to] == '.')) ++to;
  if (to < text.size() && (text[to] == 'e' || text[to] == 'E')) {  // an exponent, if digits follow; else the number e
    std::size_t digits = to + 1;
    if (digits < text.size() && (text[digits] == '+' || text[digits] == '-')) ++digits;
    if (digits < text.size() && is_digit(text[digits])) {
      to = digits;
      while (to < text.size() && is_digit(text[to])) ++to;
    }
  }
  return to;
}

Token number(std::string_view text, std::size_t from) {
  Token t{.kind = Kind::number, .text = text.substr(from, end_of_number(text, from) - from), .column = from};
  const char* const end = t.text.data() + t.text.size();
  const auto [stop, problem] = std::from_chars(t.text.data(), end, t.value);
  if (problem == std::errc::result_out_of_range)
    throw SyntaxError(fmt::format("'{}' is too large or too small for a double", t.text), text, from);
  if (problem != std::errc{} || stop != end)
    throw SyntaxError(fmt::format("expected a number such as 1.5 or 2e-3, got '{}'", t.text), text, from);
  return t;
}

}  // namespace

std::vector<Token> tokens(std::string_view text) {
  std::vector<Token> all;
  std::size_t at = 0;
  for (;;) {
    const std::size_t before = at;
    while (at < text.size() && is_space(text[at])) ++at;
    const bool after_space = at > before;
    if (at == text.size()) {
      all.push_back({.kind = Kind::end, .text = {}, .column = at, .after_space = after_space});
      return all;
    }
    Token t{.kind = Kind::sign, .text = text.substr(at, 1), .column = at};
    if (is_digit(text[at]) || text[at] == '.') {
      t = number(text, at);
    } else if (is_letter(text[at])) {
      std::size_t to = at;
      while (to < text.size() && (is_letter(text[to]) || is_digit(text[to]))) ++to;
      t = {.kind = Kind::name, .text = text.substr(at, to - at), .column = at};
    } else if (text.substr(at, 2) == "**") {
      throw SyntaxError("a power is written with ^, as x^2", text, at);
    } else if (std::string_view("+-*/^()[],").find(text[at]) == std::string_view::npos) {
      throw SyntaxError(
          fmt::format("unexpected '{}'; a formula has numbers, names, + - * / ^ and parentheses", shown(text, at)),
          text, at);
    }
    t.after_space = after_space;
    at += t.text.size();
    all.push_back(t);
  }
}

}  // namespace sde::formula
