#include "data_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "data_readers.hpp"
#include "sde/core/error.hpp"

namespace sde::experiment {

DataTable read_data(const std::filesystem::path& file) {
  const auto ending = file.extension();
  if (ending != ".csv" && ending != ".nc")
    throw InputError(fmt::format("{}: expected a file of data, .csv or .nc", file.string()));
  return ending == ".csv" ? read_csv(file) : read_netcdf(file);
}

void group_numbered(DataTable& table) {
  const auto find = [&](const std::string& name) {
    return std::find_if(table.columns.begin(), table.columns.end(), [&](const auto& c) { return c.name == name; });
  };
  std::vector<DataColumn> groups;
  for (const auto& first : table.columns) {
    if (first.is_vector || first.name.size() < 2 || first.name.back() != '1') continue;
    const auto stem = first.name.substr(0, first.name.size() - 1);
    if (find(stem) != table.columns.end()) continue;
    std::vector<const DataColumn*> parts;
    for (auto next = find(stem + "1"); next != table.columns.end() && !next->is_vector;
         next = find(fmt::format("{}{}", stem, parts.size() + 1)))
      parts.push_back(&*next);
    if (parts.size() < 2) continue;
    DataColumn group{.name = stem, .width = static_cast<int>(parts.size()), .is_vector = true, .values = {}};
    for (std::size_t row = 0; row < table.rows(); ++row)
      for (const auto* part : parts) group.values.push_back(part->values[row]);
    groups.push_back(std::move(group));
  }
  table.columns.insert(table.columns.end(), groups.begin(), groups.end());
}

}  // namespace sde::experiment
