// Data of a loss: columns of numbers or of vectors, one entry for each row, from a file or written out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sde::experiment {

struct DataColumn {
  std::string name;
  int width = 1;  ///< numbers of an entry
  bool is_vector = false;
  std::vector<double> values;  ///< [row][width]
};

/// Columns of one number of rows.
struct DataTable {
  std::vector<DataColumn> columns;
  std::size_t rows() const {
    return columns.empty() ? 0 : columns.front().values.size() / static_cast<std::size_t>(columns.front().width);
  }
};

/// CSV (a first line of names, then numbers; columns NAME1, NAME2, ... are also the vector NAME) or netCDF (variables
/// of one dimension are numbers of the rows, of two, vectors), by the ending of its name: .csv, .nc. Throws InputError,
/// which names the line or the variable.
DataTable read_data(const std::filesystem::path& file);

/// Groups columns x1, x2, ... (all of them numbers) also as the vector x, where no column has this name.
void group_numbered(DataTable&);

inline constexpr std::size_t kMostDataNumbers = 50'000'000;

}  // namespace sde::experiment
