#include "dataset_file.hpp"

#include <algorithm>

namespace sde::experiment {

const std::vector<double> kQuantiles{0.025, 0.25, 0.5, 0.75, 0.975};

namespace {

/// Of the paths asked for, as many as the longest of the methods has.
std::size_t saved(const Experiment& e) {
  long most = 0;
  for (const auto& m : e.methods) most = std::max(most, m.paths);
  return static_cast<std::size_t>(std::min(most, e.observation.save_paths));
}

}  // namespace

DatasetFile::DatasetFile(netCDF::NcGroup root, const Experiment& e, const Results& all)
    : group(std::move(root)),
      experiment(e),
      results(all),
      components(static_cast<std::size_t>(e.observation.components)),
      matrix(static_cast<std::size_t>(matrix_components(e.observation.components))),
      paths(saved(e)) {
  run = group.addDim("run", e.methods.size());
  time = group.addDim("time", e.observation.times.size());
  interval = group.addDim("interval", e.observation.times.size() - 1);
  if (components > 0) {
    component = group.addDim("component", components);
    row = group.addDim("row", matrix);
    column = group.addDim("column", matrix);
  }
  quantile = group.addDim("quantile", kQuantiles.size());
  if (paths > 0) path = group.addDim("path", paths);
}

netCDF::NcVar DatasetFile::variable(const std::string& name, const netCDF::NcType& type, const Dims& dims,
                                    const std::string& long_name, const std::string& units) {
  auto v = group.addVar(name, type, dims);
  v.putAtt("long_name", long_name);
  if (!units.empty()) v.putAtt("units", units);
  if (type == netCDF::ncDouble && dims.size() > 1) v.setCompression(true, true, 4);
  return v;
}

void DatasetFile::texts(const std::string& name, const netCDF::NcDim& dim, const std::string& long_name,
                        const std::vector<std::string>& values) {
  auto v = variable(name, netCDF::ncString, {dim}, long_name, "");
  for (std::size_t i = 0; i < values.size(); ++i) v.putVar({i}, values[i]);
}

}  // namespace sde::experiment
