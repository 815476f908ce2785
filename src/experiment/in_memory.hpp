// netCDF-4 files composed in memory: HDF5 does not survive a disk that fills up while it writes.
#pragma once

#include <fmt/format.h>

#include <netcdf.h>
#include <netcdf_mem.h>

#include <cstdlib>
#include <memory>
#include <netcdf>
#include <stdexcept>
#include <string>

namespace sde::experiment {

/// Throws std::runtime_error with netCDF's words for a status that is not success.
inline void check_netcdf(int status) {
  if (status != NC_NOERR) throw std::runtime_error(fmt::format("netCDF: {}", nc_strerror(status)));
}

/// The bytes of the file whose root group write(netCDF::NcGroup) fills.
template <class Write>
std::string in_memory(Write write) {
  int id = 0;
  check_netcdf(nc_create_mem("dataset", NC_NETCDF4, 0, &id));
  write(netCDF::NcGroup(id));
  NC_memio memory{};
  check_netcdf(nc_close_memio(id, &memory));
  const std::unique_ptr<void, void (*)(void*)> owner(memory.memory, std::free);
  return {static_cast<const char*>(memory.memory), memory.size};
}

}  // namespace sde::experiment
