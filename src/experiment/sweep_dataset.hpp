// The dataset of a sweep: those of its cells in one, with the swept keys as labelled dimensions.
#pragma once

#include "cell_file.hpp"
#include "sweep.hpp"

namespace sde::experiment {

/// Reads the datasets of all cells, in their order, and writes one: every variable gets the swept keys as its first
/// dimensions (zipped: the one dimension `cell`, with the keys as coordinates); what a dataset has of a swept key's
/// name of its own becomes run_NAME. `summaries` are those of the files. Written by write_file. Throws IoError.
void write_sweep_dataset(const std::filesystem::path& file, const Sweep& sweep,
                         const std::vector<std::filesystem::path>& cells, const std::vector<CellSummary>& summaries,
                         const std::string& command_line);

/// Names of the methods that hold in all cells: what differs between the cells ("H = 20") is left out.
std::vector<std::string> common_runs(const std::vector<CellSummary>& summaries);

}  // namespace sde::experiment
