#include <fmt/format.h>

#include <cmath>
#include <netcdf>

#include "data_file.hpp"
#include "data_readers.hpp"
#include "sde/core/error.hpp"
#include "sde/formula/parse.hpp"

namespace sde::experiment {

namespace {

DataColumn read_column(const std::filesystem::path& file, const std::string& name, const netCDF::NcVar& variable) {
  const auto fail = [&](const std::string& what) {
    throw InputError(fmt::format("{}: variable {}: {}", file.string(), name, what));
  };
  if (const auto wrong = formula::problem_with_name(name); !wrong.empty()) fail("its name " + wrong);
  const auto type = variable.getType();
  if (type.getId() > NC_UINT64 || type.getId() == NC_CHAR)
    fail(fmt::format("expected numbers, got {}", type.getName()));
  const auto dims = variable.getDims();
  if (dims.size() != 1 && dims.size() != 2)
    fail(fmt::format("expected one dimension (rows) or two (rows, entries), got {}", dims.size()));
  const std::size_t width = dims.size() == 2 ? dims[1].getSize() : 1, rows = dims[0].getSize();
  if (width == 0 || rows == 0 || rows > kMostDataNumbers / width)
    fail(fmt::format("expected 1 to {} numbers, got {} x {}", kMostDataNumbers, rows, width));
  DataColumn column{.name = name, .width = static_cast<int>(width), .is_vector = dims.size() == 2, .values = {}};
  column.values.resize(rows * width);
  variable.getVar(column.values.data());
  for (std::size_t k = 0; k < column.values.size(); ++k)
    if (!std::isfinite(column.values[k])) fail(fmt::format("row {}: expected finite numbers", k / width + 1));
  return column;
}

}  // namespace

DataTable read_netcdf(const std::filesystem::path& file) {
  DataTable table;
  try {
    const netCDF::NcFile in(file.string(), netCDF::NcFile::read);
    for (const auto& [name, variable] : in.getVars()) table.columns.push_back(read_column(file, name, variable));
  } catch (const netCDF::exceptions::NcException& e) {
    const std::string_view what = e.what();  // then, on a line of its own, where in the library
    throw InputError(fmt::format("{}: not a netCDF file with columns of numbers: {}", file.string(),
                                 what.substr(0, what.find('\n'))));
  }
  if (table.columns.empty()) throw InputError(fmt::format("{}: has no variables", file.string()));
  return table;
}

}  // namespace sde::experiment
