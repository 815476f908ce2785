#include "sweep_dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "dataset.hpp"
#include "durable_file.hpp"
#include "in_memory.hpp"

namespace sde::experiment {

namespace {

using Texts = std::vector<std::string>;

/// "Local SGD, H = 20" and "Local SGD, H = 40": "Local SGD".
std::string common(const Texts& names) {
  const auto parts = [](std::string text) {
    Texts out;
    for (auto comma = text.find(", "); comma != std::string::npos; comma = text.find(", ")) {
      out.push_back(text.substr(0, comma));
      text.erase(0, comma + 2);
    }
    out.push_back(text);
    return out;
  };
  Texts kept;
  for (const auto& part : parts(names.front()))
    if (std::all_of(names.begin(), names.end(), [&](const auto& name) {
          const auto of_name = parts(name);
          return std::find(of_name.begin(), of_name.end(), part) != of_name.end();
        }))
      kept.push_back(part);
  return fmt::format("{}", fmt::join(kept, ", "));
}

template <class Get>
Texts over(const std::vector<CellSummary>& cells, Get get) {
  Texts out;
  for (const auto& c : cells) out.push_back(get(c));
  return out;
}

Texts common_groups(const std::vector<CellSummary>& cells) {
  Texts groups;
  for (std::size_t m = 0; m < cells.front().group.size(); ++m) {
    const auto name = common(over(cells, [m](const auto& c) { return c.group[m]; }));
    groups.push_back(name.empty() ? fmt::format("method {}", m) : name);
  }
  return groups;
}

bool same(const Texts& texts) {
  return std::adjacent_find(texts.begin(), texts.end(), std::not_equal_to<>()) == texts.end();
}

/// The variables of the cells' files in the new one.
class Assembly {
 public:
  /// `first` is the cell whose dataset the others' are like, with the most pairs: not every cell has all.
  Assembly(int out, const CellFile& first, const CellSummary& summary, const Sweep& sweep,
           const std::vector<CellSummary>& summaries)
      : out_(out), first_(first), summary_(summary), sweep_(sweep), summaries_(summaries) {}

  void begin() {
    axes();
    int count = 0;
    first_.check(nc_inq_ndims(first_.id(), &count));
    for (int d = 0; d < count; ++d) {
      char name[NC_MAX_NAME + 1];
      std::size_t length = 0;
      first_.check(nc_inq_dim(first_.id(), d, name, &length));
      int id = 0;
      check_netcdf(nc_def_dim(out_, name, length, &id));
      dims_[d] = {id, length, name};
    }
    first_.check(nc_inq_nvars(first_.id(), &count));
    for (int v = 0; v < count; ++v) variable(v);
    first_.check(nc_inq_natts(first_.id(), &count));
    for (int a = 0; a < count; ++a) {
      char name[NC_MAX_NAME + 1];
      first_.check(nc_inq_attname(first_.id(), NC_GLOBAL, a, name));
      attributes_[name] = true;
    }
    for (const char* own : {"experiment", "command_line"}) attributes_.erase(own);
  }

  void add(std::size_t cell, const CellFile& file) {
    for (const auto& v : copied_) copy(v, cell, file);
    for (auto& [name, kept] : attributes_) kept = kept && attribute(first_, name) == attribute(file, name);
  }

  void end(const std::string& command_line) {
    for (const auto& [name, kept] : attributes_)
      if (kept) first_.check(nc_copy_att(first_.id(), NC_GLOBAL, name.c_str(), out_, NC_GLOBAL));
    text_attribute(NC_GLOBAL, "experiment", sweep_.source());
    text_attribute(NC_GLOBAL, "command_line", command_line);
    nlohmann::json keys = nlohmann::json::array();
    Texts labels;
    for (const auto& a : sweep_.axes) {
      keys.push_back({{"label", a.label}, {"key", a.key}});
      labels.push_back(a.label);
    }
    text_attribute(NC_GLOBAL, "sweep", nlohmann::json{{"mode", sweep_.zip ? "zip" : "product"}, {"keys", keys}}.dump());
    if (sweep_.zip) text_attribute(NC_GLOBAL, "coordinates", fmt::format("{}", fmt::join(labels, " ")));
  }

 private:
  struct Dimension {
    int id = 0;
    std::size_t length = 0;
    std::string name;
  };
  struct Copied {
    std::string name;
    int id = 0;
    nc_type type = NC_NAT;
    std::vector<std::size_t> shape;  ///< in a cell's file
    std::size_t values = 1;
    bool of_pairs = false;  ///< its first dimension is that of the pairs
  };

  void text_attribute(int variable, const char* name, const std::string& text) {
    check_netcdf(nc_put_att_text(out_, variable, name, text.size(), text.data()));
  }
  void put_texts(int variable, const Texts& texts) {
    std::vector<const char*> raw;
    for (const auto& t : texts) raw.push_back(t.c_str());
    check_netcdf(nc_put_var_string(out_, variable, raw.data()));
  }

  /// The dimensions of the cells, and the swept keys along them.
  void axes() {
    int cell = 0;
    if (sweep_.zip) {
      check_netcdf(nc_def_dim(out_, "cell", sweep_.cells(), &cell));
      cell_dims_.push_back({cell, sweep_.cells(), "cell"});
      int id = 0;
      check_netcdf(nc_def_var(out_, "cell", NC_INT, 1, &cell, &id));
      text_attribute(id, "long_name", "number of the cell");
      std::vector<int> numbers(sweep_.cells());
      for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i);
      check_netcdf(nc_put_var_int(out_, id, numbers.data()));
    }
    for (const auto& a : sweep_.axes) {
      int dim = cell, id = 0;
      if (!sweep_.zip) {
        check_netcdf(nc_def_dim(out_, a.label.c_str(), a.values.size(), &dim));
        cell_dims_.push_back({dim, a.values.size(), a.label});
      }
      const nc_type type = a.whole() ? NC_INT64 : a.numbers() ? NC_DOUBLE : NC_STRING;
      check_netcdf(nc_def_var(out_, a.label.c_str(), type, 1, &dim, &id));
      text_attribute(id, "long_name", "swept key " + a.key);
      if (type == NC_STRING) {
        Texts texts;
        for (const auto& v : a.values) texts.push_back(v.shown());
        put_texts(id, texts);
      } else {
        std::vector<double> numbers;
        for (const auto& v : a.values) numbers.push_back(*v.number);
        check_netcdf(nc_put_var_double(out_, id, numbers.data()));
      }
    }
  }

  /// Defines a variable; those without the cells' dimensions are written at once.
  void variable(int v) {
    char raw[NC_MAX_NAME + 1];
    Copied copied;
    int count = 0, dims[NC_MAX_VAR_DIMS], attributes = 0;
    first_.check(nc_inq_var(first_.id(), v, raw, &copied.type, &count, dims, &attributes));
    const std::string name = copied.name = raw;
    const bool coordinate = count == 1 && dims_.at(dims[0]).name == name;
    const bool paired = name == "pair_algorithm" || name == "pair_theory";
    const bool once =
        coordinate || paired || name == "group" || name == "discrete" ||
        (name == "kind" &&
         same(over(summaries_, [](const auto& c) { return fmt::format("{}", fmt::join(c.kind, "\n")); })));
    std::vector<int> of_out;
    if (!once)
      for (const auto& d : cell_dims_) of_out.push_back(d.id);
    for (int i = 0; i < count; ++i) {
      const auto& d = dims_.at(dims[i]);
      of_out.push_back(d.id);
      copied.shape.push_back(d.length);
      copied.values *= d.length;
    }
    copied.of_pairs = count > 0 && dims_.at(dims[0]).name == "pair";
    const bool taken =
        std::any_of(sweep_.axes.begin(), sweep_.axes.end(), [&](const auto& a) { return a.label == name; });
    check_netcdf(nc_def_var(out_, (taken ? "run_" + name : name).c_str(), copied.type, static_cast<int>(of_out.size()),
                            of_out.data(), &copied.id));
    int shuffle = 0, deflate = 0, level = 0;
    first_.check(nc_inq_var_deflate(first_.id(), v, &shuffle, &deflate, &level));
    if (deflate && !once) check_netcdf(nc_def_var_deflate(out_, copied.id, shuffle, deflate, level));
    for (int a = 0; a < attributes; ++a) {
      first_.check(nc_inq_attname(first_.id(), v, a, raw));
      if (std::string(raw) != "_FillValue") first_.check(nc_copy_att(first_.id(), v, raw, out_, copied.id));
    }
    if (!once)
      copied_.push_back(copied);
    else if (paired)
      put_texts(copied.id, pair_names(name == "pair_algorithm"));
    else if (name == "run" || name == "group")
      put_texts(copied.id, name == "run" ? common_runs(summaries_) : common_groups(summaries_));
    else if (copied.type == NC_STRING)
      put_texts(copied.id, first_.texts(name));
    else
      put_once(name, copied.id);
  }

  /// Times are shares of the run where the cells' runs are of different lengths.
  void put_once(const std::string& name, int id) {
    auto values = first_.doubles(name);
    const bool differ = std::any_of(summaries_.begin(), summaries_.end(),
                                    [&](const auto& c) { return c.time != summaries_.front().time; });
    if ((name == "time" || name == "interval") && differ) {
      for (auto& x : values) x /= summaries_.front().time.back();
      text_attribute(id, "long_name",
                     name == "time" ? "share of the run, whose slow time differs between the cells"
                                    : "the same at the middle of the interval between observations");
      text_attribute(id, "units", "1");
    }
    check_netcdf(nc_put_var_double(out_, id, values.data()));
  }

  Texts pair_names(bool algorithm) const {
    const auto runs = common_runs(summaries_);
    Texts names;
    for (const auto& p : summary_.pairs) names.push_back(runs[algorithm ? p.algorithm : p.theory]);
    return names;
  }

  void copy(const Copied& v, std::size_t cell, const CellFile& file) {
    std::vector<std::size_t> start = sweep_.zip ? std::vector{cell} : sweep_.at(cell), count(start.size(), 1);
    const std::size_t swept = start.size();
    start.resize(swept + v.shape.size(), 0);
    count.insert(count.end(), v.shape.begin(), v.shape.end());
    if (v.type == NC_STRING) {
      const auto texts = file.texts(v.name);
      std::vector<const char*> raw;
      for (const auto& t : texts) raw.push_back(t.c_str());
      check_netcdf(nc_put_vara_string(out_, v.id, start.data(), count.data(), raw.data()));
      return;
    }
    std::size_t size = 0;
    check_netcdf(nc_inq_type(out_, v.type, nullptr, &size));
    const auto& pairs = summaries_[cell].pairs;
    const bool rows = v.of_pairs && pairs != summary_.pairs;
    const std::size_t row = size * v.values / (v.of_pairs ? summary_.pairs.size() : 1);
    std::vector<char> bytes(rows ? row * pairs.size() : size * v.values);
    if (!bytes.empty()) {
      int from = 0;
      file.check(nc_inq_varid(file.id(), v.name.c_str(), &from));
      file.check(nc_get_var(file.id(), from, bytes.data()));
    }
    if (rows) bytes = in_order_of_pairs(bytes, row, v.type == NC_DOUBLE, pairs);
    check_netcdf(nc_put_vara(out_, v.id, start.data(), count.data(), bytes.data()));
  }

  /// The rows of a cell's pairs where the dataset has them; of those that it has not, numbers that are none, or 0.
  std::vector<char> in_order_of_pairs(const std::vector<char>& bytes, std::size_t row, bool doubles,
                                      const std::vector<CellSummary::Pair>& pairs) const {
    std::vector<char> all(row * summary_.pairs.size());
    if (doubles) {
      const std::vector<double> none(all.size() / sizeof(double), std::numeric_limits<double>::quiet_NaN());
      std::memcpy(all.data(), none.data(), all.size());
    }
    for (std::size_t p = 0; p < summary_.pairs.size(); ++p) {
      const auto found = std::find(pairs.begin(), pairs.end(), summary_.pairs[p]);
      if (found != pairs.end())
        std::memcpy(all.data() + p * row, bytes.data() + static_cast<std::size_t>(found - pairs.begin()) * row, row);
    }
    return all;
  }

  /// Type and bytes of a global attribute.
  static std::string attribute(const CellFile& file, const std::string& name) {
    nc_type type = NC_NAT;
    std::size_t length = 0, size = 0;
    if (nc_inq_att(file.id(), NC_GLOBAL, name.c_str(), &type, &length) != NC_NOERR || type == NC_STRING) return "";
    file.check(nc_inq_type(file.id(), type, nullptr, &size));
    std::string bytes(size * length, '\0');
    file.check(nc_get_att(file.id(), NC_GLOBAL, name.c_str(), bytes.data()));
    return fmt::format("{} {}", type, bytes);
  }

  const int out_;
  const CellFile& first_;
  const CellSummary& summary_;  ///< of it
  const Sweep& sweep_;
  const std::vector<CellSummary>& summaries_;
  std::vector<Dimension> cell_dims_;
  std::map<int, Dimension> dims_;  ///< by their number in a cell's file
  std::vector<Copied> copied_;
  std::map<std::string, bool> attributes_;  ///< whether all cells have the same
};

}  // namespace

Texts common_runs(const std::vector<CellSummary>& cells) {
  const auto groups = common_groups(cells);
  Texts runs;
  for (std::size_t m = 0; m < groups.size(); ++m) {
    const auto names = over(cells, [m](const auto& c) { return c.run[m]; });
    const auto suffixes = over(cells, [m](const auto& c) {
      return c.run[m].starts_with(c.group[m]) ? c.run[m].substr(c.group[m].size()) : "\n" + c.run[m];
    });
    auto name = same(names) ? names.front() : same(suffixes) ? groups[m] + suffixes.front() : common(names);
    if (name.empty() || std::find(runs.begin(), runs.end(), name) != runs.end()) name += fmt::format(" (method {})", m);
    runs.push_back(name);
  }
  return runs;
}

void write_sweep_dataset(const std::filesystem::path& file, const Sweep& sweep,
                         const std::vector<std::filesystem::path>& cells, const std::vector<CellSummary>& summaries,
                         const std::string& command_line) {
  const auto bytes = in_memory([&](netCDF::NcGroup out) {
    const std::size_t model = static_cast<std::size_t>(
        std::max_element(summaries.begin(), summaries.end(),
                         [](const auto& a, const auto& b) { return a.pairs.size() < b.pairs.size(); }) -
        summaries.begin());
    const CellFile first(cells[model]);
    Assembly assembly(out.getId(), first, summaries[model], sweep, summaries);
    assembly.begin();
    for (std::size_t c = 0; c < cells.size(); ++c) assembly.add(c, CellFile(cells[c]));
    assembly.end(command_line);
  });
  write_file(file, bytes.data(), bytes.size());
}

}  // namespace sde::experiment
