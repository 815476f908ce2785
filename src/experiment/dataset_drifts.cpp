// Drift and diffusion: what the slow SDE predicts at the paths' points, beside how Phi moved.
#include <algorithm>

#include "dataset_file.hpp"
#include "sde/stats/covariance.hpp"

namespace sde::experiment {

namespace {

using ensemble::MethodResult;
using stats::Covariance;
using stats::Moments;
const std::string kPerTime = "1 / slow time";

/// A value and its standard error, entry by entry.
struct Estimates {
  std::vector<double> value, error;
  void add(double v, double e) {
    value.push_back(v);
    error.push_back(e);
  }
  void add_mean(const Moments& m, const MethodResult& r) {
    add(m.n > 0 ? m.mean : kNan, r.paths == 1 ? 0.0 : m.standard_error());
  }
  void write(DatasetFile& f, const std::string& name, const DatasetFile::Dims& dims, const std::string& long_name) {
    f.doubles(name, dims, long_name, kPerTime, value);
    f.doubles(name + "_se", dims, long_name + ", standard error", kPerTime, error);
  }
};

/// The mean of a table, [run][time][component].
void write_predicted(DatasetFile& f, const std::string& name, MethodResult::Table MethodResult::*table,
                     const std::string& long_name) {
  Estimates all;
  for (const auto& r : f.results)
    for (const auto& row : r.*table)
      for (const auto& m : row) all.add_mean(m, r);
  all.write(f, name, {f.run, f.time, f.component}, long_name + ", mean over the paths' points");
}

void write_measured(DatasetFile& f) {
  Estimates drift, diffusion;
  for (const auto& r : f.results)
    for (std::size_t i = 0; i < r.rate.size(); ++i)
      for (const auto& m : r.rate[i]) {
        const double width = r.slow_time[i + 1] - r.slow_time[i];
        drift.add_mean(m, r);
        diffusion.add(r.paths == 1 ? kNan : m.variance() * width, r.paths == 1 ? kNan : m.variance_error() * width);
      }
  const DatasetFile::Dims dims{f.run, f.interval, f.component};
  drift.write(f, "drift_measured", dims, "measured mean of Phi's increments per slow time");
  diffusion.write(f, "diffusion_measured", dims, "measured variance of Phi's increments per slow time");
}

/// diagonal(i) and pair(p, i, k) for every entry of a symmetric matrix, row by row.
template <class Diagonal, class Pair>
void for_each_entry(const DatasetFile& f, Diagonal diagonal, Pair pair) {
  const int n = static_cast<int>(f.matrix);
  std::vector<std::size_t> number(f.matrix * f.matrix);  // of the pair
  for (int p = 0; p < pairs_of(n); ++p) {
    const auto [i, k] = pair_of(p, n);
    number[static_cast<std::size_t>(i * n + k)] = number[static_cast<std::size_t>(k * n + i)] =
        static_cast<std::size_t>(p);
  }
  for (std::size_t i = 0; i < f.matrix; ++i)
    for (std::size_t k = 0; k < f.matrix; ++k)
      if (i == k)
        diagonal(i);
      else
        pair(number[i * f.matrix + k], std::min(i, k), std::max(i, k));  // in one order: the same bits on both sides
}

void write_matrices(DatasetFile& f) {
  Estimates predicted, measured;
  for (const auto& r : f.results) {
    for (std::size_t t = 0; t < r.diffusion.size(); ++t)
      for_each_entry(
          f, [&](std::size_t i) { predicted.add_mean(r.diffusion[t][i], r); },
          [&](std::size_t p, std::size_t, std::size_t) { predicted.add_mean(r.diffusion_pairs[t][p], r); });
    for (std::size_t t = 0; t < r.rate.size(); ++t) {
      const auto add = [&, width = r.slow_time[t + 1] - r.slow_time[t]](const Covariance& c) {
        const bool any = r.paths > 1;
        measured.add(any ? c.value * width : kNan, any ? c.standard_error * width : kNan);
      };
      const auto& rate = r.rate[t];
      for_each_entry(
          f,
          [&](std::size_t i) {
            add({rate[i].variance(), rate[i].variance_error()});
          },
          [&](std::size_t p, std::size_t i, std::size_t k) {
            add(stats::covariance(rate[i], rate[k], r.rate_sums[t][p], r.rate_differences[t][p]));
          });
    }
  }
  predicted.write(f, "diffusion_matrix", {f.run, f.time, f.row, f.column},
                  "predicted diffusion Sigma_par / B, mean over the paths' points");
  measured.write(f, "diffusion_matrix_measured", {f.run, f.interval, f.row, f.column},
                 "measured covariance of Phi's increments per slow time");
}

}  // namespace

void write_drifts(DatasetFile& f) {
  if (f.components == 0) return;
  write_predicted(f, "drift_1", &MethodResult::drift_1, "predicted drift-I");
  write_predicted(f, "drift_2", &MethodResult::drift_2, "predicted drift-II");
  write_predicted(f, "ito_normal", &MethodResult::ito_normal, "predicted normal Ito drift");
  write_predicted(f, "diffusion", &MethodResult::diffusion, "predicted diffusion Sigma_par / B (diagonal)");
  write_measured(f);
  write_matrices(f);
}

}  // namespace sde::experiment
