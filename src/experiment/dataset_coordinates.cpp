// Attributes, coordinates, and what is said of each run as a whole.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "communication.hpp"
#include "dataset_file.hpp"
#include "sde/manifold/findings.hpp"
#include "sde/model/point_model.hpp"
#include "sde/version.hpp"

namespace sde::experiment {

void write_attributes(DatasetFile& f, const std::string& command_line) {
  const auto& e = f.experiment;
  const auto& a = e.methods.front().algorithm;
  f.group.putAtt("title", e.title);
  f.group.putAtt("loss", e.loss_name);
  f.group.putAtt("noise", e.noise_text);
  f.group.putAtt("experiment", e.source);
  f.group.putAtt("seed", netCDF::ncUint64, static_cast<unsigned long long>(e.seed));
  f.group.putAtt("sde_version", kVersion);
  f.group.putAtt("schema", netCDF::ncInt, kSchema);
  f.group.putAtt("command_line", command_line);
  f.group.putAtt("eta", netCDF::ncDouble, a.rate.eta);
  f.group.putAtt("workers", netCDF::ncInt,
                 std::max_element(e.methods.begin(), e.methods.end(), [](const auto& x, const auto& y) {
                   return x.algorithm.workers < y.algorithm.workers;
                 })->algorithm.workers);
  f.group.putAtt("batch", netCDF::ncInt, a.batch);
  const auto* points = e.problem.model->at_points();
  if (points) {
    f.group.putAtt("network", points->describe());
  } else {
    const auto gamma = manifold::findings(*e.problem.model, e.problem.start_on_gamma.data(), e.problem.interpolating);
    f.group.putAtt("gamma", manifold::describe(gamma));
    f.group.putAtt("gamma_dimension", netCDF::ncInt, gamma.dim_gamma());
    f.group.putAtt("hessian_rank", netCDF::ncInt, gamma.rank);
  }
  nlohmann::json names = nlohmann::json::array();
  for (const auto& o : f.results.front().observables) names.push_back(describe(o, points != nullptr).variable);
  f.group.putAtt("observables", names.dump());
  f.group.putAtt("common_noise",
                 "runs with the same seed share their random numbers: path i of one algorithm draws what path i of "
                 "another does, and slow SDEs share theirs; so runs are not independent, and the standard error of a "
                 "difference of two is not the root of the sum of squares");
}

namespace {

std::vector<std::string> component_names(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(fmt::format("x{}", i + 1));
  return names;
}

void write_axes(DatasetFile& f) {
  const auto& methods = f.experiment.methods;
  const auto& t = f.experiment.observation.times;
  std::vector<std::string> names, kinds, groups;
  for (const auto& m : methods) names.push_back(m.name), kinds.push_back(m.kind()), groups.push_back(m.group);
  f.texts("run", f.run, "method and its setting", names);
  f.texts("kind", f.run, "kind of method", kinds);
  f.texts("group", f.run, "setting: theory and algorithm of one setting share it", groups);
  f.doubles("time", {f.time}, "nominal slow time", kSlowTime, t);
  std::vector<double> middle;
  for (std::size_t i = 0; i + 1 < t.size(); ++i) middle.push_back(0.5 * (t[i] + t[i + 1]));
  f.doubles("interval", {f.interval}, "slow time at the middle of the interval between observations", kSlowTime,
            middle);
  f.doubles("quantile", {f.quantile}, "probability", "1", kQuantiles);
  if (f.components > 0) {
    f.texts("component", f.component, "coordinate of theta", component_names(f.components));
    f.texts("row", f.row, "coordinate of theta, of a matrix's rows", component_names(f.matrix));
    f.texts("column", f.column, "coordinate of theta, of a matrix's columns", component_names(f.matrix));
  }
  if (f.paths > 0) {
    std::vector<long long> numbers;
    for (std::size_t i = 0; i < f.paths; ++i) numbers.push_back(static_cast<long long>(i));
    f.integers("path", {f.path}, "number of the path, from 0", "1", numbers);
  }
}

}  // namespace

void write_coordinates(DatasetFile& f) {
  write_axes(f);
  const std::size_t intervals = f.experiment.observation.times.size() - 1;
  std::vector<int> discrete, total, lost;
  std::vector<double> actual, width, cost, alpha, H_at_peak, communication;
  for (std::size_t m = 0; m < f.results.size(); ++m) {
    const auto& r = f.results[m];
    const auto& a = f.experiment.methods[m].algorithm;
    discrete.push_back(f.experiment.methods[m].dynamics->is_algorithm());
    total.push_back(static_cast<int>(r.paths));
    lost.push_back(static_cast<int>(r.lost));
    cost.push_back(r.gradients);
    const auto H = static_cast<double>(a.peak_steps_in_round());
    H_at_peak.push_back(H);
    const auto rounds = communication_rounds(f.experiment.methods[m], r.slow_time.back());
    communication.push_back(rounds ? static_cast<double>(*rounds) : std::nan(""));
    alpha.push_back(a.rate.eta * H);
    actual.insert(actual.end(), r.slow_time.begin(), r.slow_time.end());
    for (std::size_t i = 0; i < intervals; ++i) width.push_back(r.slow_time[i + 1] - r.slow_time[i]);
  }
  f.doubles("slow_time", {f.run, f.time},
            "slow time of the observation (the end of the nearest round of the group's algorithm)", kSlowTime, actual);
  f.doubles("interval_width", {f.run, f.interval}, "slow time between observations", kSlowTime, width);
  f.doubles("gradient_evaluations", {f.run}, "stochastic gradients computed, all paths", "1", cost);
  f.doubles("communication_rounds", {f.run},
            "how often a path's workers communicate: at the end of each round, at each step of SGD", "1",
            communication);
  f.doubles("H", {f.run}, "local steps per round at the peak learning rate", "steps", H_at_peak);
  f.doubles("alpha", {f.run}, "eta * H at the peak learning rate", "1", alpha);
  f.variable("discrete", netCDF::ncInt, {f.run}, "1 for a discrete algorithm", "").putVar(discrete.data());
  f.variable("paths_total", netCDF::ncInt, {f.run}, "paths simulated", "1").putVar(total.data());
  const auto gone = f.variable("paths_lost", netCDF::ncInt, {f.run}, "paths that left the domain", "1");
  gone.putVar(lost.data());
  gone.putAtt("comment", "means are over the other paths, and biased where any is lost");
}

}  // namespace sde::experiment
