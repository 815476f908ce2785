#include "dataset.hpp"

#include "dataset_file.hpp"
#include "durable_file.hpp"
#include "in_memory.hpp"

namespace sde::experiment {

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
