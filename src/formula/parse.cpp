#include "sde/formula/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sde/core/suggestion.hpp"
#include "tokens.hpp"

namespace sde::formula {

namespace {

constexpr std::size_t kShown = 72;  ///< characters of a formula in a message

/// The formula around a place, and a caret below it.
std::string picture(std::string_view text, std::size_t column) {
  const std::size_t line_start = column == 0 ? 0 : text.rfind('\n', column - 1) + 1;  // npos + 1 is 0
  const std::size_t line_end = std::min(text.find('\n', column), text.size());
  std::size_t from = line_start, to = line_end;
  if (to - from > kShown) {
    from = std::max(line_start, column > kShown / 2 ? column - kShown / 2 : 0);
    to = std::min(line_end, from + kShown);
  }
  std::string line;
  std::size_t caret = 0;
  for (std::size_t k = from; k < to; ++k) {
    const auto byte = static_cast<unsigned char>(text[k]);
    const bool continues = (byte & 0xc0) == 0x80;
    if (k < column && !continues) ++caret;
    line += byte < 0x20 ? ' ' : text[k];
  }
  return fmt::format("  {}\n  {}^", line, std::string(caret, ' '));
}

struct Function {
  const char* name;
  Op op;
};
constexpr Function kFunctions[] = {
    {"exp", Op::exp},         {"log", Op::log},         {"sin", Op::sin},   {"cos", Op::cos},
    {"tan", Op::tan},         {"sinh", Op::sinh},       {"cosh", Op::cosh}, {"tanh", Op::tanh},
    {"atan", Op::atan},       {"erf", Op::erf},         {"relu", Op::relu}, {"softplus", Op::softplus},
    {"logcosh", Op::logcosh}, {"sigmoid", Op::sigmoid}, {"step", Op::step}, {"sqrt", Op::power},
    {"sum", Op::add},         {"dot", Op::multiply},
};
const Function* find_function(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kFunctions), std::end(kFunctions), [&](auto& f) { return f.name == name; });
  return found == std::end(kFunctions) ? nullptr : found;
}

class Parser {
 public:
  Parser(Graph& g, const Names& names, std::string_view text)
      : g_(g), names_(names), text_(text), tokens_(tokens(text)) {}

  Value whole() {
    if (tokens_.size() == 1) fail(here(), "expected a formula, got nothing");
    Value v = sum();
    if (here().kind != Kind::end)
      fail(here(), here().text == ")" ? "this ')' closes nothing"
                                      : fmt::format("expected an operator or the end, got '{}'", here().text));
    return v;
  }

 private:
  const Token& here() const { return tokens_[at_]; }
  bool is(const char* sign) const { return here().kind == Kind::sign && here().text == sign; }
  bool take(const char* sign) {
    if (!is(sign)) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void fail(const Token& t, const std::string& what) const { throw SyntaxError(what, text_, t.column); }
  std::string got() const { return here().kind == Kind::end ? "the end" : fmt::format("'{}'", here().text); }

  /// Counts how deep the parser's calls are.
  struct Deeper {
    int& depth;
    Deeper(Parser& p) : depth(p.depth_) {
      if (++depth > kDeepest) p.fail(p.here(), fmt::format("nested deeper than {} levels", kDeepest));
    }
    ~Deeper() { --depth; }
  };

  template <class Combine>
  Value each(const Token& sign, const Value& a, const Value& b, Combine combine) {
    if (a.is_vector && b.is_vector && a.items.size() != b.items.size())
      fail(sign, fmt::format("expected vectors of one length, got {} and {} numbers", a.items.size(), b.items.size()));
    Value out{.items = {}, .is_vector = a.is_vector || b.is_vector};
    const std::size_t n = a.is_vector ? a.items.size() : b.items.size();
    for (std::size_t k = 0; k < n; ++k)
      out.items.push_back(combine(a.items[a.is_vector ? k : 0], b.items[b.is_vector ? k : 0]));
    return out;
  }

  Value sum() {
    Value left = product();
    while (is("+") || is("-")) {
      const Token& sign = tokens_[at_++];
      const Value right = product();
      left = each(sign, left, right, [&](Id a, Id b) { return sign.text == "+" ? g_.add(a, b) : g_.subtract(a, b); });
    }
    return left;
  }

  /// Whether a factor begins here, after another one without a sign between.
  bool begins_factor() const { return here().kind == Kind::number || here().kind == Kind::name || is("("); }

  Value product() {
    Value left = signed_factor();
    bool divided = false, by_number = false;  // the factor before was a divisor
    for (;;) {
      const Token& sign = here();
      const bool implicit = begins_factor();
      if (!implicit && !is("*") && !is("/")) return left;
      if (implicit && divided && !(by_number && sign.after_space))
        fail(sign, "read in two ways: write a/(b c), or (a/b) c");
      if (implicit && sign.kind == Kind::number && tokens_[at_ - 1].kind == Kind::number)
        fail(sign, "two numbers beside each other: write * between them");
      if (!implicit) ++at_;
      const bool quotient = !implicit && sign.text == "/";
      const std::size_t first = at_;
      const Value right = implicit ? power() : signed_factor();
      divided = quotient;
      by_number = at_ == first + 1 && tokens_[first].kind == Kind::number;
      left = each(sign, left, right, [&](Id a, Id b) { return quotient ? divide(a, b) : g_.multiply(a, b); });
    }
  }
  Id divide(Id a, Id b) {
    if (g_.is_constant(a) && g_.is_constant(b)) return g_.constant(g_[a].value / g_[b].value);  // one rounding
    return g_.divide(a, b);
  }

  Value signed_factor() {
    if (!is("+") && !is("-")) return power();
    const Deeper deeper(*this);
    const bool minus = tokens_[at_++].text == "-";
    Value v = signed_factor();
    if (!minus) return v;
    for (Id& item : v.items) item = g_.negate(item);
    return v;
  }

  Value power() {
    const Value base = atom();
    if (!is("^")) return base;
    const Deeper deeper(*this);
    const Token& sign = tokens_[at_++];
    const Value exponent = signed_factor();
    return each(sign, base, exponent, [&](Id a, Id b) { return g_.to_the(a, b); });
  }

  Value atom() {
    const Token& t = here();
    if (t.kind == Kind::number) {
      ++at_;
      return {{g_.constant(t.value)}};
    }
    if (t.kind == Kind::name) return named();
    if (!take("(")) fail(t, fmt::format("expected a number, a name or '(', got {}", got()));
    const Deeper deeper(*this);
    Value v = sum();
    close(t, "(", ")");
    return v;
  }
  void close(const Token& opened, const char* open, const char* sign) {
    if (here().kind == Kind::end) fail(opened, fmt::format("this '{}' is never closed", open));
    if (!take(sign)) fail(here(), fmt::format("expected an operator or '{}', got {}", sign, got()));
  }

  Value named() {
    const Token& t = tokens_[at_++];
    if (const auto known = names_.values.find(t.text); known != names_.values.end()) {
      if (is("(") && !here().after_space) no_function(t);
      return indexed(t, known->second);
    }
    if (const auto* f = find_function(t.text)) return call(t, *f);
    if (t.text == "pi") return {{g_.constant(std::numbers::pi)}};
    if (t.text == "e") return {{g_.constant(std::numbers::e)}};
    unknown(t);
  }
  [[noreturn]] void no_function(const Token& t) const {
    const auto near = nearest(std::string(t.text), function_names());
    fail(t, fmt::format("'{}' is no function{}; a product is written '{} (...)'", t.text,
                        near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near), t.text));
  }
  [[noreturn]] void unknown(const Token& t) const {
    std::vector<std::string> own, all;
    for (const auto& [name, value] : names_.values) own.push_back(name);
    all = own;
    for (const auto& f : kFunctions) all.push_back(f.name);
    all.insert(all.end(), {"pi", "e"});
    const std::string word(t.text);
    for (const auto& first : own)  // "xy" for "x y"
      for (const auto& second : own)
        if (first + second == word)
          fail(t, fmt::format("unknown name '{}': a product is written '{} {}'", word, first, second));
    const auto near = nearest(word, all);
    std::string listed;
    for (std::size_t k = 0; k < own.size() && k < 12; ++k) listed += (k ? ", " : "") + own[k];
    fail(t, fmt::format("unknown name '{}' ({}names here: {}{})", word.size() <= 40 ? word : word.substr(0, 40) + "...",
                        near.empty() ? "" : fmt::format("did you mean '{}'? ", near), listed,
                        own.size() > 12 ? ", ..." : ""));
  }

  /// What follows a name: [3], or [i] of the data's rows.
  Value indexed(const Token& name, const Value& value) {
    if (!is("[")) return value;
    const Token& bracket = tokens_[at_++];
    const Token& index = here();
    const bool of_rows = std::find(names_.rows.begin(), names_.rows.end(), name.text) != names_.rows.end();
    if (index.kind == Kind::name && index.text == "i" && of_rows) {
      ++at_;
      close(bracket, "[", "]");
      return indexed(name, value);
    }
    if (!value.is_vector) fail(bracket, fmt::format("'{}' is a number and has no entries", name.text));
    const auto size = static_cast<double>(value.items.size());
    if (index.kind != Kind::number || index.value != std::floor(index.value) || index.value < 1 || index.value > size)
      fail(index,
           fmt::format("expected a whole number from 1 to {}, the length of '{}', got {}", size, name.text, got()));
    ++at_;
    close(bracket, "[", "]");
    return {{value.items[static_cast<std::size_t>(index.value) - 1]}};
  }

  Value call(const Token& name, const Function& f) {
    const Token& open = here();
    if (!take("(")) fail(open, fmt::format("expected '(' after the function {}, got {}", name.text, got()));
    const Deeper deeper(*this);
    Value v = sum();
    if (f.op == Op::multiply) {
      if (!take(",")) fail(here(), fmt::format("dot takes two vectors, dot(a, b); expected ',', got {}", got()));
      const Value other = sum();
      if (!v.is_vector || !other.is_vector) fail(name, "dot takes two vectors, got a number");
      v = each(name, v, other, [&](Id a, Id b) { return g_.multiply(a, b); });
    } else if (is(",")) {
      fail(here(), fmt::format("{} takes one argument", name.text));
    }
    close(open, "(", ")");
    if (f.op == Op::multiply || f.op == Op::add) {
      if (!v.is_vector) fail(name, "sum takes a vector, got a number");
      Id total = v.items.front();
      for (std::size_t k = 1; k < v.items.size(); ++k) total = g_.add(total, v.items[k]);
      return {{total}};
    }
    for (Id& item : v.items) item = f.op == Op::power ? g_.power(item, 0.5) : g_.function(f.op, item);
    return v;
  }

  Graph& g_;
  const Names& names_;
  const std::string_view text_;
  const std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

SyntaxError::SyntaxError(const std::string& what, std::string_view text, std::size_t where)
    : InputError(fmt::format("{}\n{}", what, picture(text, where))), column(where) {}

Value parse_value(Graph& g, const Names& names, std::string_view text) {
  if (text.size() > kLongestFormula)
    throw InputError(fmt::format("a formula of {} characters: expected at most {}", text.size(), kLongestFormula));
  return Parser(g, names, text).whole();
}

Id parse(Graph& g, const Names& names, std::string_view text) {
  const Value v = parse_value(g, names, text);
  if (v.is_vector)
    throw SyntaxError(
        fmt::format("is a vector of {} numbers: expected one number, such as sum(...) or dot(...)", v.items.size()),
        text, 0);
  return v.items.front();
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const auto& f : kFunctions) names.push_back(f.name);
  return names;
}

std::string problem_with_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto rest = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  if (name.empty() || !letter(name.front()) || !std::all_of(name.begin(), name.end(), rest))
    return "expected a letter, then letters, digits and _";
  if (name == "pi" || name == "e") return "is a constant of formulas";
  if (find_function(name)) return "is a function of formulas";
  if (name == "i") return "stands for the row of data in formulas";
  return "";
}

}  // namespace sde::formula
