#include "section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace sde::experiment {

namespace {
std::string describe(const toml::node& n) {
  if (n.is_table()) return "a table";
  if (n.is_array()) return fmt::format("an array of {}", n.as_array()->size());
  std::ostringstream s;
  n.visit([&](const auto& v) {
    if constexpr (toml::is_value<decltype(v)>) s << v;
  });
  constexpr std::size_t kMost = 60;
  const std::string text = s.str().size() <= kMost ? s.str() : s.str().substr(0, kMost) + "...";
  if (n.is_number() || n.is_boolean()) return text;
  return fmt::format("{} ({})", text, n.is_string() ? "text" : "a date or time");
}

/// A number of any kind. (toml++'s value<double>() has none for whole numbers beyond 2^53.)
std::optional<double> real(const toml::node& n) {
  if (const auto* whole = n.as_integer()) return static_cast<double>(whole->get());
  if (const auto* number = n.as_floating_point()) return number->get();
  return std::nullopt;
}

/// A whole number, also one that is written as 1e6.
std::optional<long> whole(const toml::node& n) {
  if (const auto* integer = n.as_integer()) return integer->get();
  const auto number = real(n);
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63
  if (!number || *number != std::floor(*number) || !(std::abs(*number) < kBeyond)) return std::nullopt;
  return static_cast<long>(*number);
}
}  // namespace

std::string Section::place(const std::string& key) const {
  const auto* node = get(key);
  const auto& source = node ? node->source() : table_.source();
  // The file's own table begins where its first key does.
  if (source.path && source.begin && (node || !path_.empty()))
    return fmt::format("{}:{}", *source.path, source.begin.line);
  return node || file_.empty() ? kCommandLine : file_;
}

void Section::fail(const std::string& key, const std::string& complaint) const {
  throw InputError(fmt::format("{}: {}: {}", place(key), name(key), complaint));
}

const toml::node* Section::get(const std::string& key) const {
  const auto* node = table_.get(key);
  return node || !defaults_ ? node : defaults_->get(key);
}

std::string Section::name(const std::string& key) const {
  const auto& path = defaults_ && !table_.contains(key) && defaults_->contains(key) ? defaults_path_ : path_;
  return path.empty() ? key : path + "." + key;
}

const toml::node* Section::find(const std::string& key) {
  known_.push_back(key);
  read_.push_back(key);
  return get(key);
}

double Section::number(Key key, double otherwise) {
  const auto* node = find(key.name);
  if (!node) {
    if (std::isnan(otherwise)) fail(key.name, "missing: expected a number");
    return otherwise;
  }
  const auto v = real(*node);
  if (!v || !std::isfinite(*v)) fail(key.name, fmt::format("expected a finite number, got {}", describe(*node)));
  return *v;
}
double Section::positive(Key key, double otherwise) {
  const double v = number(key, otherwise);
  if (!(v > 0)) fail(key.name, fmt::format("expected a number above 0, got {}", v));
  return v;
}
double Section::non_negative(Key key, double otherwise) {
  const double v = number(key, otherwise);
  if (!(v >= 0)) fail(key.name, fmt::format("expected a number of at least 0, got {}", v));
  return v;
}
double Section::between(Key key, double otherwise, double least, double most) {
  const double v = number(key, otherwise);
  if (!(v >= least && v <= most))
    fail(key.name, fmt::format("expected a number from {} to {}, got {}", least, most, v));
  return v;
}
double Section::fraction(Key key, double otherwise) {
  const double v = number(key, otherwise);
  if (!(v > 0 && v < 1))
    fail(key.name, fmt::format("expected a number above 0 and below 1 ({}), got {}", key.meaning, v));
  return v;
}
long Section::integer(Key key, long otherwise, long least, long most) {
  const auto* node = find(key.name);
  const auto v = node ? whole(*node) : otherwise;
  if (!v || *v < least || *v > most)
    fail(key.name, fmt::format("expected a whole number from {} to {}, got {}", least, most,
                               node ? describe(*node) : fmt::format("{}", otherwise)));
  return *v;
}
bool Section::reads(const std::string& key) const { return std::find(read_.begin(), read_.end(), key) != read_.end(); }
bool Section::boolean(Key key, bool otherwise) {
  const auto* node = find(key.name);
  if (!node) return otherwise;
  if (!node->is_boolean()) fail(key.name, fmt::format("expected true or false, got {}", describe(*node)));
  return *node->value<bool>();
}
std::string Section::text(Key key, const std::string& otherwise) {
  const auto* node = find(key.name);
  if (!node) return otherwise;
  if (!node->is_string()) fail(key.name, fmt::format("expected text in quotes, got {}", describe(*node)));
  return *node->value<std::string>();
}
std::string Section::choice(Key key, const std::string& otherwise, const std::vector<std::string>& options) {
  const std::string v = text(key, otherwise);
  if (std::find(options.begin(), options.end(), v) == options.end())
    fail(key.name, v.empty() ? fmt::format("missing: expected one of {}", fmt::join(options, ", "))
                             : fmt::format("'{}' is not known{}", v, suggestion(v, options)));
  return v;
}
std::vector<double> Section::numbers(Key key) {
  const auto* node = find(key.name);
  std::vector<double> out;
  if (!node) return out;
  const auto* array = node->as_array();
  if (!array) fail(key.name, fmt::format("expected an array of numbers, got {}", describe(*node)));
  for (const auto& e : *array) {
    const auto v = real(e);
    if (!v || !std::isfinite(*v))
      fail(key.name, fmt::format("expected an array of finite numbers, entry {} is {}", out.size() + 1, describe(e)));
    out.push_back(*v);
  }
  return out;
}
std::vector<std::string> Section::texts(Key key) {
  const auto* node = find(key.name);
  std::vector<std::string> out;
  if (!node) return out;
  const auto* array = node->as_array();
  if (!array) fail(key.name, fmt::format("expected an array of texts, got {}", describe(*node)));
  for (const auto& e : *array) {
    if (!e.is_string())
      fail(key.name, fmt::format("expected an array of texts, entry {} is {}", out.size() + 1, describe(e)));
    out.push_back(*e.value<std::string>());
  }
  return out;
}
Section Section::section(const std::string& key) {
  static const toml::table empty;
  const auto* node = find(key);
  if (!node) return {empty, name(key), file_};
  if (!node->is_table()) fail(key, fmt::format("expected a table, got {}", describe(*node)));
  return {*node->as_table(), name(key), file_};
}
std::vector<Section> Section::sections(const std::string& key) {
  const auto* node = find(key);
  std::vector<Section> out;
  if (!node) return out;
  if (node->is_table()) {
    out.emplace_back(*node->as_table(), name(key), file_);
    return out;
  }
  if (!node->is_array_of_tables()) fail(key, fmt::format("expected tables [[{}]], got {}", name(key), describe(*node)));
  int index = 0;
  for (const auto& e : *node->as_array())
    out.emplace_back(*e.as_table(), fmt::format("{}.{}", name(key), index++), file_);
  return out;
}
void Section::finish() const {
  std::vector<std::string> known = known_;
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  for (const auto* table : {&table_, defaults_})
    if (table)
      for (const auto& [key, node] : *table) {
        const std::string k(key.str());
        if (std::find(known.begin(), known.end(), k) == known.end()) fail(k, "unknown key" + suggestion(k, known));
      }
}

}  // namespace sde::experiment
