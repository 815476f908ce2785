// Algorithm - slow SDE on common noise.
#include "dataset_file.hpp"
#include "pairs.hpp"

namespace sde::experiment {

namespace {

/// One observable's differences, [pair][time].
struct Differences {
  std::vector<double> time, mean, error, step;
};

Differences differences(const DatasetFile& f, const PairResults& paired, std::size_t observable) {
  Differences all;
  paired.for_each_theory([&](const auto& pair, const auto& result, std::size_t p) {
    for (std::size_t t = 0; t < f.experiment.observation.times.size(); ++t) {
      const auto x = difference(pair, result, p, t, observable);
      all.time.push_back(x.slow_time);
      all.mean.push_back(x.mean);
      all.error.push_back(x.standard_error);
      all.step.push_back(x.step_error);
    }
  });
  return all;
}

netCDF::NcDim write_pairs_themselves(DatasetFile& f, const PairResults& paired) {
  std::vector<std::string> algorithm, theory;
  std::vector<int> paths, lost;
  std::vector<double> gradients;
  paired.for_each_theory([&](const auto& of, const auto& result, std::size_t p) {
    algorithm.push_back(f.experiment.methods[of.algorithm].name);
    theory.push_back(f.experiment.methods[of.theory[p]].name);
    paths.push_back(static_cast<int>(result.paths));
    lost.push_back(static_cast<int>(result.lost));
    gradients.push_back(result.gradients);
  });
  const auto pair = f.group.addDim("pair", algorithm.size());
  f.texts("pair_algorithm", pair, "run that is compared", algorithm);
  f.texts("pair_theory", pair, "slow SDE or ODE on the same noise", theory);
  f.variable("pair_paths", netCDF::ncInt, {pair}, "paths simulated", "1").putVar(paths.data());
  f.variable("pair_paths_lost", netCDF::ncInt, {pair}, "paths that left the domain", "1").putVar(lost.data());
  f.doubles("pair_gradient_evaluations", {pair}, "stochastic gradients computed, all paths", "1", gradients);
  return pair;
}

}  // namespace

void write_pairs(DatasetFile& f, const PairResults& paired) {
  if (paired.pairs.empty()) return;
  const DatasetFile::Dims dims{write_pairs_themselves(f, paired), f.time};
  const auto names = pair_observables(f.experiment);
  for (std::size_t q = 0; q < names.size(); ++q) {
    const auto all = differences(f, paired, q);
    if (q == 0)
      f.doubles("pair_slow_time", dims, "slow time of the comparison; NaN: none of its own", kSlowTime, all.time);
    const auto d = describe(names[q]);
    const std::string name = "difference_" + d.variable, what = d.long_name + ": algorithm - slow SDE on common noise";
    f.doubles(name, dims, what + ", mean over paths", d.units, all.mean);
    f.doubles(name + "_se", dims, what + ", standard error", d.units, all.error);
    f.doubles(name + "_step_error", dims, what + ", time-step error of the SDE that extrapolation removed", d.units,
              all.step);
  }
}

}  // namespace sde::experiment
