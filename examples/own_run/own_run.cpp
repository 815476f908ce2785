// An experiment file from one's own program: read, changed, run, and written as the dataset that `sde plot` draws.
// Usage: own_run FILE.toml DATASET.nc
#include <cstdio>

#include "sde/experiment/dataset.hpp"

int main(int, char** arguments) try {
  using namespace sde;
  auto e = experiment::load(arguments[1], {"experiment.paths=64", "experiment.pairs=0"});
  ensemble::Control control;
  control.threads = 2;
  std::vector<ensemble::MethodResult> results;
  for (std::size_t i = 0; i < e.methods.size(); ++i) {
    const auto seen = experiment::observation_of(e, i);
    results.push_back(ensemble::run(e.problem, e.methods[i], seen, control));
    const auto& sharpness = results.back().at(seen.times.size() - 1, "trace_hessian");
    std::printf("%s: tr Hess %.17g +- %.2g\n", e.methods[i].name.c_str(), sharpness.mean,
                1.96 * sharpness.standard_error());
  }
  experiment::write_dataset(arguments[2], e, results, {{}, {}}, "own_run");
} catch (const std::exception& error) {
  std::fprintf(stderr, "own_run: %s\n", error.what());
  return 2;
}
