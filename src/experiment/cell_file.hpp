// A dataset read back: what a sweep needs of those of its cells.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sde::experiment {

/// An open netCDF file. Throws IoError where it cannot be read.
class CellFile {
 public:
  explicit CellFile(std::filesystem::path file);
  ~CellFile();
  CellFile(const CellFile&) = delete;
  CellFile& operator=(const CellFile&) = delete;

  int id() const { return id_; }
  bool has(const std::string& variable) const;
  /// All values of a variable; the last dimension runs fastest.
  std::vector<double> doubles(const std::string& variable) const;
  std::vector<std::string> texts(const std::string& variable) const;
  /// A global attribute that is text; empty where it is not there.
  std::string attribute(const std::string& name) const;
  /// Throws IoError with the file's name for a status of netCDF that is not success.
  void check(int status) const;

 private:
  int variable(const std::string& name) const;
  std::size_t size(int variable) const;
  const std::filesystem::path file_;
  int id_ = 0;
};

/// The end of a run, of its dataset. Index [method], [method][observable].
struct CellSummary {
  explicit CellSummary(const CellFile&);
  std::vector<std::string> run, kind, group;
  std::vector<std::string> failure;      ///< "" where the method did not fail
  std::vector<std::string> observables;  ///< names of their variables
  std::vector<std::vector<double>> mean, standard_error;
  std::vector<double> time;       ///< the times of observation; [time]
  std::vector<double> slow_time;  ///< where the method ended
  std::vector<double> paths, lost, gradients;

  /// An algorithm and its slow SDE on common noise, by their numbers.
  struct Pair {
    std::size_t algorithm, theory;
    bool operator==(const Pair&) const = default;
  };
  std::vector<Pair> pairs;
  std::vector<double> difference, difference_error;  ///< of tr Hess, the last that there is; [pair]
};

/// Whether a file is the dataset of a sweep; false where it cannot be read.
bool is_sweep(const std::filesystem::path& file);

}  // namespace sde::experiment
