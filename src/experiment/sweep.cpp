#include "sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

namespace sde::experiment {

namespace {

std::vector<std::string> parts_of(const std::string& key) {
  std::vector<std::string> parts;
  std::stringstream stream(key);
  for (std::string part; std::getline(stream, part, '.');) parts.push_back(part);
  return parts;
}

/// Whether two keys name one place: * is every number.
bool overlap(const std::string& a, const std::string& b) {
  const auto x = parts_of(a), y = parts_of(b);
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](const auto& p, const auto& q) { return p == q || p == "*" || q == "*"; });
}

struct Entry {
  std::string key, place;
  const toml::node* node = nullptr;
};

/// The keys below a table: training.eta without quotes is a table in a table.
void flatten(const toml::table& table, const std::string& prefix, std::vector<Entry>& entries) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (const auto* below = node.as_table())
      flatten(*below, key + ".", entries);
    else
      entries.push_back({key, "", &node});
  }
}

/// What [sweep] says, in the order of the file; `mode` apart.
std::vector<Entry> entries_of(const toml::table& section, const FileText& file, bool& zip) {
  std::vector<Entry> entries;
  flatten(section, "", entries);
  const auto where = [](const Entry& e) {
    const auto& begin = e.node->source().begin;
    return std::pair(begin.line, begin.column);
  };
  std::stable_sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) { return where(a) < where(b); });
  for (auto& e : entries)
    e.place = e.node->source().path ? fmt::format("{}:{}: sweep.{}", file.path.string(), where(e).first, e.key)
                                    : fmt::format("--set sweep.{}", e.key);
  const auto mode = std::find_if(entries.begin(), entries.end(), [](const Entry& e) { return e.key == "mode"; });
  if (mode == entries.end()) return entries;
  const auto text = mode->node->value<std::string>();
  if (text != "product" && text != "zip")
    throw InputError(
        fmt::format("{}: expected \"product\" (every combination) or \"zip\" (all lists at once)", mode->place));
  zip = zip || text == "zip";
  entries.erase(mode);
  return entries;
}

/// The last part of each key, or all of it where that is not unique or the dataset has such a dimension.
void name_axes(std::vector<SweepAxis>& axes) {
  static const std::vector<std::string> taken{"run",  "time",   "interval", "component", "quantile",
                                              "row",  "column", "path",     "cell",      "pair",
                                              "kind", "group",  "discrete", "failure"};
  const auto last = [](const SweepAxis& a) { return parts_of(a.key).back(); };
  for (auto& axis : axes) {
    const std::string name = last(axis);
    const bool unique = std::count_if(axes.begin(), axes.end(), [&](const auto& a) { return last(a) == name; }) == 1;
    const bool whole = !unique || std::find(taken.begin(), taken.end(), name) != taken.end();
    std::string label;
    for (const auto& part : whole ? parts_of(axis.key) : std::vector{name})
      label += (label.empty() ? "" : "_") + (part == "*" ? std::string("all") : part);
    for (auto& c : label)
      if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    axis.label = label;
  }
}

void check_cells(const Sweep& s) {
  if (s.zip) {
    for (const auto& a : s.axes)
      if (a.values.size() != s.axes[0].values.size())
        throw InputError(fmt::format("sweep: mode zip takes lists of one length: {} has {} values, {} has {}",
                                     s.axes[0].key, s.axes[0].values.size(), a.key, a.values.size()));
  } else {
    for (const auto& a : s.axes)
      for (std::size_t i = 0; i < a.values.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
          if (a.values[i].text == a.values[j].text)
            throw InputError(
                fmt::format("sweep: {} has the value {} twice: expected each once", a.key, a.values[i].shown()));
  }
  double product = 1;
  for (const auto& a : s.axes) product *= static_cast<double>(a.values.size());
  const double cells = s.zip ? static_cast<double>(s.axes[0].values.size()) : product;
  if (cells > static_cast<double>(Sweep::kMostCells)) {
    std::vector<std::size_t> counts;
    for (const auto& a : s.axes) counts.push_back(a.values.size());
    throw InputError(fmt::format("sweep: {} = {:.0f} cells: expected at most {}: fewer values, or mode = \"zip\"",
                                 fmt::join(counts, " x "), cells, Sweep::kMostCells));
  }
}

/// What would make cells that are all the same, or say two things at once.
void check_keys(const Sweep& s, const std::vector<std::string>& set, const toml::table& table) {
  for (std::size_t i = 0; i < s.axes.size(); ++i) {
    const auto& key = s.axes[i].key;
    for (std::size_t j = 0; j < i; ++j)
      if (overlap(key, s.axes[j].key))
        throw InputError(
            fmt::format("sweep: '{}' and '{}' name the same key: expected each key once", s.axes[j].key, key));
    for (const auto& o : set)
      if (overlap(o.substr(0, o.find('=')), key))
        throw InputError(
            fmt::format("--set {}: the sweep varies {}: expected one of them (--sweep {}={} sets it for "
                        "all cells)",
                        o, key, key, o.substr(std::min(o.size(), o.find('=') + 1))));
    const auto parts = parts_of(key);
    const auto* methods = table.get_as<toml::array>("method");
    if (parts.size() != 2 || parts[0] != "training" || !methods || methods->empty()) continue;
    if (std::all_of(methods->begin(), methods->end(),
                    [&](const auto& m) { return m.is_table() && m.as_table()->contains(parts[1]); }))
      throw InputError(
          fmt::format("sweep: {} has no effect, because every [[method]] has its own {}: expected "
                      "method.*.{}",
                      key, parts[1], parts[1]));
  }
}

}  // namespace

std::string SweepValue::shown() const {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

bool SweepAxis::numbers() const {
  return std::all_of(values.begin(), values.end(), [](const auto& v) { return v.number.has_value(); });
}
bool SweepAxis::whole() const {
  return std::all_of(values.begin(), values.end(), [](const auto& v) { return v.whole; });
}

std::size_t Sweep::cells() const {
  if (axes.empty()) return 1;
  if (zip) return axes[0].values.size();
  std::size_t product = 1;
  for (const auto& a : axes) product *= a.values.size();
  return product;
}

std::vector<std::size_t> Sweep::at(std::size_t cell) const {
  std::vector<std::size_t> numbers(axes.size(), cell);
  if (zip) return numbers;
  for (std::size_t i = axes.size(); i-- > 0;) {
    numbers[i] = cell % axes[i].values.size();
    cell /= axes[i].values.size();
  }
  return numbers;
}

std::vector<std::string> Sweep::overrides(std::size_t cell) const {
  std::vector<std::string> set;
  const auto numbers = at(cell);
  for (std::size_t i = 0; i < axes.size(); ++i) set.push_back(axes[i].key + "=" + axes[i].values[numbers[i]].text);
  return set;
}

std::string Sweep::describe(std::size_t cell) const {
  std::vector<std::string> words;
  const auto numbers = at(cell);
  for (std::size_t i = 0; i < axes.size(); ++i)
    words.push_back(fmt::format("{} = {}", axes[i].label, axes[i].values[numbers[i]].shown()));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string Sweep::source() const {
  std::string text = fmt::format("{}\n\n[sweep]\nmode = \"{}\"\n", base, zip ? "zip" : "product");
  for (const auto& a : axes) {
    std::vector<std::string> values;
    for (const auto& v : a.values) values.push_back(v.text);
    text += fmt::format("\"{}\" = [{}]\n", a.key, fmt::join(values, ", "));
  }
  return text;
}

Sweep read_sweep(const FileText& file, const std::vector<std::string>& set, const std::vector<std::string>& sweep,
                 bool zip) {
  toml::table table = parse(file);
  for (const auto& o : set) assign(table, o);
  Sweep s;
  s.zip = zip;
  if (const auto* node = table.get("sweep")) {
    if (!node->is_table())
      throw InputError(
          fmt::format("{}:{}: sweep: expected a table [sweep]", file.path.string(), node->source().begin.line));
    for (const auto& e : entries_of(*node->as_table(), file, s.zip))
      s.axes.push_back({e.key, "", sweep_values(e.key, *e.node, e.place)});
    if (s.axes.empty() && sweep.empty())
      throw InputError(fmt::format("{}:{}: [sweep] names no key: expected e.g. \"training.eta\" = [0.01, 0.02]",
                                   file.path.string(), node->source().begin.line));
  }
  std::vector<std::string> given;
  for (const auto& text : sweep) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw InputError(
          fmt::format("--sweep {}: expected key=values, e.g. training.eta=0.01,0.02 or "
                      "training.H=geom:5:40:4",
                      text));
    const std::string key = text.substr(0, equals);
    if (std::find(given.begin(), given.end(), key) != given.end())
      throw InputError(fmt::format("--sweep {}: the same key twice: expected one --sweep for each key", text));
    given.push_back(key);
    SweepAxis axis{key, "", sweep_values(key, text.substr(equals + 1), "--sweep " + key)};
    const auto same = std::find_if(s.axes.begin(), s.axes.end(), [&](const auto& a) { return a.key == key; });
    if (same != s.axes.end())
      *same = std::move(axis);
    else
      s.axes.push_back(std::move(axis));
  }
  if (s.axes.empty()) {
    if (zip) throw InputError("--zip: expected keys to sweep over (--sweep, or [sweep] in the file)");
    return s;
  }
  table.erase("sweep");
  std::ostringstream base;
  base << table;
  s.base = base.str();
  check_keys(s, set, table);
  check_cells(s);
  name_axes(s.axes);
  return s;
}

}  // namespace sde::experiment
