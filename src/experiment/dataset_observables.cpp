// Observables: moments, quantiles, and single paths.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "dataset_file.hpp"

namespace sde::experiment {

namespace {

/// What is observed of a network.
ObservableText of_network(const std::string& observable) {
  const std::map<std::string, std::string> names{
      {"loss", "loss L(theta), with redrawn labels and weight decay"},
      {"train_error", "share of the training samples that are taken for another class"},
      {"test_loss", "objective of the test samples"},
      {"test_error", "share of the test samples that are taken for another class"},
      {"test_accuracy", "share of the test samples that are taken for their class"},
      {"trace_hessian", "sharpness tr Hess L(theta), estimated"},
      {"trace_hessian_error", "standard error of the estimate of tr Hess of a path"},
      {"lambda_max", "largest Hessian eigenvalue at theta"},
      {"disagreement", "rms distance of the workers from their average"}};
  return {observable, names.at(observable), "1"};
}

}  // namespace

ObservableText describe(const std::string& observable, bool at_points) {
  if (const auto power = ensemble::DiagonalPower::parse(observable)) {
    auto name = fmt::format("trace_diagonal_p{}", power->power);
    std::replace(name.begin(), name.end(), '.', 'd');
    return {name, observable + (at_points ? " at theta" : " at Phi(theta)"), "1"};
  }
  if (at_points) return of_network(observable);
  if (observable == "loss") return {"loss", "loss L(theta)", "1"};
  if (observable == "trace_hessian") return {"trace_hessian", "sharpness tr Hess at Phi(theta)", "1"};
  if (observable == "lambda_max") return {"lambda_max", "largest Hessian eigenvalue at Phi(theta)", "1"};
  if (observable == "distance") return {"distance", "distance to Gamma |theta - Phi(theta)|", "1"};
  if (observable == "disagreement") return {"disagreement", "rms distance of the workers from their average", "1"};
  if (observable == "test_error") return {"test_error", "test error at theta", "1"};
  std::string name;
  for (const char c : observable) {
    if (c == '^')
      name += 'p';
    else if (c == '*')
      name += "_times_";
    else if (c == '+')
      name += "plus";
    else if (c == '-')
      name += "minus";
    else if (c == '.')
      name += "d";
    else if (c == ' ')
      name += '_';
    else
      name += c;
  }
  if (!std::isalpha(static_cast<unsigned char>(name[0]))) name = "poly_" + name;
  return {name, observable + " of Phi(theta)", "1"};
}

namespace {

/// Observable number q of the first paths, [run][path][time]; not a number where a path is lost, or there is none.
std::vector<double> of_paths(const DatasetFile& f, std::size_t q) {
  const std::size_t times = f.experiment.observation.times.size();
  std::vector<double> values(f.results.size() * f.paths * times, kNan);
  for (std::size_t m = 0; m < f.results.size(); ++m)
    for (std::size_t t = 0; t < times; ++t) {
      const auto& r = f.results[m];
      for (std::size_t i = 0; i < r.sample_paths[t].size(); ++i) {
        const auto path = static_cast<std::size_t>(r.sample_paths[t][i]);
        if (path < f.paths) values[(m * f.paths + path) * times + t] = r.samples[t][q][i];
      }
    }
  return values;
}

}  // namespace

void write_observables(DatasetFile& f) {
  for (std::size_t q = 0; q < f.results.front().observables.size(); ++q) {
    const auto d = describe(f.results.front().observables[q], f.experiment.problem.model->at_points() != nullptr);
    std::vector<double> mean, error, quantiles;
    for (const auto& r : f.results)
      for (std::size_t t = 0; t < r.values.size(); ++t) {
        const stats::Moments& m = r.values[t][q];
        mean.push_back(m.n > 0 ? m.mean : kNan);
        error.push_back(r.paths == 1 ? 0.0 : m.standard_error());
        for (const double p : kQuantiles) quantiles.push_back(r.quantile(t, q, p));
      }
    f.doubles(d.variable, {f.run, f.time}, d.long_name + ", mean over paths", d.units, mean);
    f.doubles(d.variable + "_se", {f.run, f.time}, d.long_name + ", standard error of the mean", d.units, error);
    f.doubles(d.variable + "_quantile", {f.run, f.time, f.quantile}, d.long_name + ", quantiles over paths", d.units,
              quantiles);
    if (f.paths > 0)
      f.doubles(d.variable + "_paths", {f.run, f.path, f.time}, d.long_name + ", single paths", d.units,
                of_paths(f, q));
  }
}

}  // namespace sde::experiment
