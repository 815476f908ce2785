// The formats of data files (data_file.hpp).
#pragma once

#include "data_file.hpp"

namespace sde::experiment {

DataTable read_csv(const std::filesystem::path& file);
DataTable read_netcdf(const std::filesystem::path& file);

}  // namespace sde::experiment
