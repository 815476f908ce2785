#include "dataset.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "dataset_file.hpp"
#include "in_memory.hpp"

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

std::string dataset_bytes(const Experiment& experiment, const std::vector<ensemble::MethodResult>& results,
                          const PairResults& pairs, const std::string& command_line,
                          const std::vector<std::string>& failures) {
  return in_memory([&](netCDF::NcGroup group) {
    DatasetFile all(std::move(group), experiment, results);
    write_attributes(all, command_line);
    write_coordinates(all);
    if (!failures.empty()) all.texts("failure", all.run, "why the method failed; empty where it did not", failures);
    write_observables(all);
    write_drifts(all);
    write_pairs(all, pairs);
    write_keys(all);
  });
}

void write_dataset(const std::filesystem::path& file, const Experiment& experiment,
                   const std::vector<ensemble::MethodResult>& results, const PairResults& pairs,
                   const std::string& command_line) {
  const auto bytes = dataset_bytes(experiment, results, pairs, command_line);
  write_file(file, bytes.data(), bytes.size());
}

}  // namespace sde::experiment
