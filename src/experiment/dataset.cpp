#include "dataset.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <netcdf.h>
#include <netcdf_mem.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "dataset_file.hpp"

namespace sde::experiment {

void write_file(const std::filesystem::path& file, const char* bytes, std::size_t size) {
  const std::filesystem::path temporary = file.string() + fmt::format(".{}.part", getpid());
  errno = 0;
  std::ofstream out(temporary, std::ios::binary);
  out.write(bytes, static_cast<std::streamsize>(size));
  out.close();
  std::error_code error(errno, std::generic_category()), ignored;
  if (out) {
    std::filesystem::rename(temporary, file, error);
    if (!error) return;
  }
  std::filesystem::remove(temporary, ignored);
  throw IoError(fmt::format("{}: cannot be written ({}): is the disk full or the folder read-only?", file.string(),
                            error.message()));
}

void write_dataset(const std::filesystem::path& file, const Experiment& experiment,
                   const std::vector<ensemble::MethodResult>& results, const PairResults& pairs,
                   const std::string& command_line) {
  // Composed in memory: HDF5 does not survive a disk that fills up while it writes.
  int id = 0;
  const auto check = [](int status) {
    if (status != NC_NOERR) throw std::runtime_error(fmt::format("netCDF: {}", nc_strerror(status)));
  };
  check(nc_create_mem(file.filename().c_str(), NC_NETCDF4, 0, &id));
  {
    DatasetFile all(netCDF::NcGroup(id), experiment, results);
    write_attributes(all, command_line);
    write_coordinates(all);
    write_observables(all);
    write_drifts(all);
    write_pairs(all, pairs);
    write_keys(all);
  }
  NC_memio memory{};
  check(nc_close_memio(id, &memory));
  const std::unique_ptr<void, void (*)(void*)> owner(memory.memory, std::free);
  write_file(file, static_cast<const char*>(memory.memory), memory.size);
}

}  // namespace sde::experiment
