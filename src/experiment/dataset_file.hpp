// An open dataset: its dimensions, and how a labelled variable is written. What goes into it is in dataset_*.cpp, a
// function each.
#pragma once

#include <limits>
#include <netcdf>

#include "pairs.hpp"

namespace sde::experiment {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// How an observable is called.
struct ObservableText {
  std::string variable, long_name, units;
};
/// netCDF names allow no '^', '*' or spaces: "x1^2 - x2^2" becomes "x1p2_minus_x2p2"; the formula is in long_name.
/// `at_points`: of a model that is observed where it is, not at Phi.
ObservableText describe(const std::string& observable, bool at_points = false);

/// What is written of a run, and where.
class DatasetFile {
 public:
  using Dims = std::vector<netCDF::NcDim>;
  using Results = std::vector<ensemble::MethodResult>;

  /// `group` is the root group of an open netCDF-4 file.
  DatasetFile(netCDF::NcGroup group, const Experiment& e, const Results& results);

  /// A variable with a long name and units; texts have none.
  netCDF::NcVar variable(const std::string& name, const netCDF::NcType& type, const Dims& dims,
                         const std::string& long_name, const std::string& units);
  void doubles(const std::string& name, const Dims& dims, const std::string& long_name, const std::string& units,
               const std::vector<double>& values) {
    variable(name, netCDF::ncDouble, dims, long_name, units).putVar(values.data());
  }
  void integers(const std::string& name, const Dims& dims, const std::string& long_name, const std::string& units,
                const std::vector<long long>& values) {
    variable(name, netCDF::ncInt64, dims, long_name, units).putVar(values.data());
  }
  void texts(const std::string& name, const netCDF::NcDim& dim, const std::string& long_name,
             const std::vector<std::string>& values);
  bool has(const std::string& name) const { return !group.getVar(name).isNull(); }

  netCDF::NcGroup group;
  const Experiment& experiment;
  const Results& results;
  netCDF::NcDim run, time, interval, quantile;
  netCDF::NcDim component, row, column;  ///< null where no component is recorded
  netCDF::NcDim path;                    ///< null where no path is kept
  const std::size_t components, matrix;  ///< sizes of `component`, and of `row` and `column`
  std::size_t paths;                     ///< that of `path`
};

/// How datasets are laid out: raised where a program that reads the one before would misread this. share/schema.py has
/// what is read.
inline constexpr int kSchema = 1;

/// Units of slow times.
inline const std::string kSlowTime = "eta^2 * local steps";
/// The probabilities of the quantiles.
extern const std::vector<double> kQuantiles;

/// @name The parts of a dataset, in their order
/// @{
void write_attributes(DatasetFile&, const std::string& command_line);
void write_coordinates(DatasetFile&);
void write_observables(DatasetFile&);
void write_drifts(DatasetFile&);
void write_pairs(DatasetFile&, const PairResults&);
void write_keys(DatasetFile&);  ///< last: it leaves the others their names
/// @}

}  // namespace sde::experiment
