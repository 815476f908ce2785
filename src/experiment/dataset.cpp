#include "dataset.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <netcdf.h>
#include <netcdf_mem.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <netcdf>
#include <nlohmann/json.hpp>

#include "sde/version.hpp"

namespace sde::experiment {

namespace {

using ensemble::MethodResult;
using stats::Moments;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const std::vector<double> kQuantiles{0.025, 0.25, 0.5, 0.75, 0.975};

struct Description {
  std::string variable, long_name, units;
};

/// netCDF names allow no '^', '*' or spaces: "x1^2 - x2^2" becomes "x1p2_minus_x2p2"; the formula is in long_name.
Description describe(const std::string& observable) {
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

class Writer {
 public:
  /// `file` is the root group of an open netCDF-4 file.
  Writer(netCDF::NcGroup file, const Experiment& e, const std::vector<MethodResult>& results)
      : file_(std::move(file)), e_(e), results_(results) {
    run_ = file_.addDim("run", e.methods.size());
    time_ = file_.addDim("time", e.observation.times.size());
    interval_ = file_.addDim("interval", e.observation.times.size() - 1);
    if (e.observation.components > 0)
      component_ = file_.addDim("component", static_cast<std::size_t>(e.observation.components));
    quantile_ = file_.addDim("quantile", kQuantiles.size());
  }

  void write(const std::string& command_line) {
    attributes(command_line);
    coordinates();
    observables();
    if (e_.observation.components > 0) drifts();
  }

 private:
  using Dims = std::vector<netCDF::NcDim>;

  void attributes(const std::string& command_line) {
    const auto& a = e_.methods.front().algorithm;
    file_.putAtt("title", e_.title);
    file_.putAtt("loss", e_.loss_name);
    file_.putAtt("noise", e_.noise_text);
    file_.putAtt("experiment", e_.source);
    file_.putAtt("seed", netCDF::ncUint64, static_cast<unsigned long long>(e_.seed));
    file_.putAtt("sde_version", kVersion);
    file_.putAtt("command_line", command_line);
    file_.putAtt("eta", netCDF::ncDouble, a.rate.eta);
    file_.putAtt("workers", netCDF::ncInt,
                 std::max_element(e_.methods.begin(), e_.methods.end(), [](const auto& x, const auto& y) {
                   return x.algorithm.workers < y.algorithm.workers;
                 })->algorithm.workers);
    file_.putAtt("batch", netCDF::ncInt, a.batch);
    nlohmann::json names = nlohmann::json::array();
    for (const auto& o : results_.front().observables) names.push_back(describe(o).variable);
    file_.putAtt("observables", names.dump());
  }

  netCDF::NcVar variable(const std::string& name, const netCDF::NcType& type, const Dims& dims,
                         const std::string& long_name, const std::string& units) {
    auto v = file_.addVar(name, type, dims);
    v.putAtt("long_name", long_name);
    if (!units.empty()) v.putAtt("units", units);
    if (type == netCDF::ncDouble && dims.size() > 1) v.setCompression(true, true, 4);
    return v;
  }
  void doubles(const std::string& name, const Dims& dims, const std::string& long_name, const std::string& units,
               const std::vector<double>& values) {
    variable(name, netCDF::ncDouble, dims, long_name, units).putVar(values.data());
  }
  template <class Get>
  void texts(const std::string& name, const netCDF::NcDim& dim, std::size_t count, const std::string& long_name,
             Get get) {
    auto v = variable(name, netCDF::ncString, {dim}, long_name, "");
    for (std::size_t i = 0; i < count; ++i) v.putVar({i}, std::string(get(i)));
  }

  void coordinates() {
    const std::string slow = "eta^2 * local steps";
    const auto& t = e_.observation.times;
    texts("run", run_, e_.methods.size(), "method and its setting", [&](std::size_t i) { return e_.methods[i].name; });
    texts("kind", run_, e_.methods.size(), "kind of method", [&](std::size_t i) { return e_.methods[i].kind(); });
    texts("group", run_, e_.methods.size(), "setting: theory and algorithm of one setting share it",
          [&](std::size_t i) { return e_.methods[i].group; });
    doubles("time", {time_}, "nominal slow time", slow, t);
    std::vector<double> middle, quantities;
    for (std::size_t i = 0; i + 1 < t.size(); ++i) middle.push_back(0.5 * (t[i] + t[i + 1]));
    doubles("interval", {interval_}, "slow time at the middle of the interval between observations", slow, middle);
    doubles("quantile", {quantile_}, "probability", "1", kQuantiles);
    if (e_.observation.components > 0)
      texts("component", component_, static_cast<std::size_t>(e_.observation.components), "coordinate of theta",
            [](std::size_t i) { return fmt::format("x{}", i + 1); });
    std::vector<int> discrete, total, lost;
    std::vector<double> actual, width, cost, alpha, rounds;
    for (std::size_t m = 0; m < results_.size(); ++m) {
      const auto& r = results_[m];
      const auto& a = e_.methods[m].algorithm;
      discrete.push_back(e_.methods[m].dynamics->is_algorithm());
      total.push_back(static_cast<int>(r.paths));
      lost.push_back(static_cast<int>(r.lost));
      cost.push_back(r.gradients);
      const auto H = static_cast<double>(a.peak_steps_in_round());
      rounds.push_back(H);
      alpha.push_back(a.rate.eta * H);
      actual.insert(actual.end(), r.slow_time.begin(), r.slow_time.end());
      for (std::size_t i = 0; i + 1 < t.size(); ++i) width.push_back(r.slow_time[i + 1] - r.slow_time[i]);
    }
    doubles("slow_time", {run_, time_},
            "slow time of the observation (the end of the nearest round of the group's algorithm)", slow, actual);
    doubles("interval_width", {run_, interval_}, "slow time between observations", slow, width);
    doubles("gradient_evaluations", {run_}, "stochastic gradients computed, all paths", "1", cost);
    doubles("H", {run_}, "local steps per round at the peak learning rate", "steps", rounds);
    doubles("alpha", {run_}, "eta * H at the peak learning rate", "1", alpha);
    variable("discrete", netCDF::ncInt, {run_}, "1 for a discrete algorithm", "").putVar(discrete.data());
    variable("paths_total", netCDF::ncInt, {run_}, "paths simulated", "1").putVar(total.data());
    variable("paths_lost", netCDF::ncInt, {run_}, "paths that left the domain", "1").putVar(lost.data());
  }

  void observables() {
    for (std::size_t q = 0; q < results_.front().observables.size(); ++q) {
      const auto d = describe(results_.front().observables[q]);
      std::vector<double> mean, error, quantiles;
      for (const auto& r : results_)
        for (std::size_t t = 0; t < r.values.size(); ++t) {
          const Moments& m = r.values[t][q];
          mean.push_back(m.n > 0 ? m.mean : kNan);
          error.push_back(r.paths == 1 ? 0.0 : m.standard_error());
          for (const double p : kQuantiles) quantiles.push_back(r.quantile(t, q, p));
        }
      doubles(d.variable, {run_, time_}, d.long_name + ", mean over paths", d.units, mean);
      doubles(d.variable + "_se", {run_, time_}, d.long_name + ", standard error of the mean", d.units, error);
      doubles(d.variable + "_quantile", {run_, time_, quantile_}, d.long_name + ", quantiles over paths", d.units,
              quantiles);
    }
  }

  /// mean and standard error (or variance per width) of a table of moments, [run][row][component].
  void predicted(const std::string& name, std::vector<std::vector<Moments>> MethodResult::*table,
                 const std::string& long_name, const std::string& units) {
    std::vector<double> mean, error;
    for (const auto& r : results_)
      for (const auto& row : r.*table)
        for (const auto& m : row) {
          mean.push_back(m.n > 0 ? m.mean : kNan);
          error.push_back(r.paths == 1 ? 0.0 : m.standard_error());
        }
    doubles(name, {run_, time_, component_}, long_name, units, mean);
    doubles(name + "_se", {run_, time_, component_}, long_name + ", standard error", units, error);
  }

  void drifts() {
    const std::string per_time = "1 / slow time";
    predicted("drift_1", &MethodResult::drift_1, "predicted drift-I, mean over the paths' points", per_time);
    predicted("drift_2", &MethodResult::drift_2, "predicted drift-II, mean over the paths' points", per_time);
    predicted("ito_normal", &MethodResult::ito_normal, "predicted normal Ito drift, mean over the paths' points",
              per_time);
    predicted("diffusion", &MethodResult::diffusion,
              "predicted diffusion Sigma_par / B (diagonal), mean over the paths' points", per_time);
    std::vector<double> mean, error, variance, variance_error;
    for (const auto& r : results_)
      for (std::size_t i = 0; i < r.rate.size(); ++i)
        for (const auto& m : r.rate[i]) {
          const double width = r.slow_time[i + 1] - r.slow_time[i];
          mean.push_back(m.n > 0 ? m.mean : kNan);
          error.push_back(r.paths == 1 ? 0.0 : m.standard_error());
          variance.push_back(r.paths == 1 ? kNan : m.variance() * width);
          variance_error.push_back(r.paths == 1 ? kNan : m.variance_error() * width);
        }
    const Dims dims{run_, interval_, component_};
    doubles("drift_measured", dims, "measured mean of Phi's increments per slow time", per_time, mean);
    doubles("drift_measured_se", dims, "measured mean of Phi's increments per slow time, standard error", per_time,
            error);
    doubles("diffusion_measured", dims, "measured variance of Phi's increments per slow time", per_time, variance);
    doubles("diffusion_measured_se", dims, "measured variance of Phi's increments per slow time, standard error",
            per_time, variance_error);
  }

  netCDF::NcGroup file_;
  const Experiment& e_;
  const std::vector<MethodResult>& results_;
  netCDF::NcDim run_, time_, interval_, component_, quantile_;
};

}  // namespace

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
                   const std::vector<MethodResult>& results, const std::string& command_line) {
  // Composed in memory: HDF5 does not survive a disk that fills up while it writes.
  int id = 0;
  const auto check = [](int status) {
    if (status != NC_NOERR) throw std::runtime_error(fmt::format("netCDF: {}", nc_strerror(status)));
  };
  check(nc_create_mem(file.filename().c_str(), NC_NETCDF4, 0, &id));
  Writer(netCDF::NcGroup(id), experiment, results).write(command_line);
  NC_memio memory{};
  check(nc_close_memio(id, &memory));
  const std::unique_ptr<void, void (*)(void*)> owner(memory.memory, std::free);
  write_file(file, static_cast<const char*>(memory.memory), memory.size);
}

}  // namespace sde::experiment
