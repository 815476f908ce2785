// The cells of a sweep on their way: which are complete, what the others have reached, and the folder that keeps both.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "../experiment/checkpoint.hpp"
#include "../experiment/sweep.hpp"

namespace sde::cli {

/// What came of a cell: its dataset or, of one that was interrupted, how far it has come.
struct CellResult {
  std::string dataset;
  experiment::RunState state;

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& dataset& state;
  }
};

/// The cells as experiments.
class Cells {
 public:
  /// Throws InputError where a cell is no valid experiment, or would not fit into one dataset with the first; it names
  /// the cell.
  Cells(const experiment::FileText&, std::vector<std::string> set, const experiment::Sweep&);

  std::size_t count() const { return work_.size(); }
  experiment::Experiment load(std::size_t cell) const;
  const std::string& source(std::size_t cell) const { return sources_[cell]; }
  double work(std::size_t cell) const { return work_[cell]; }
  /// "cell 3 of 12 (eta = 0.01, H = 20)"
  std::string name(std::size_t cell) const;
  /// What the user should know of the cells, each but once.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void take_notes(std::size_t cell, const experiment::Experiment&);
  void check_shape(const experiment::Experiment&) const;
  const experiment::FileText& file_;
  const std::vector<std::string> set_;
  const experiment::Sweep& sweep_;
  std::vector<std::string> sources_;
  std::vector<double> work_;
  std::vector<std::string> observables_, notes_;
  std::string repeated_;  ///< in which cell observations repeat
  std::size_t repeating_ = 0;
  std::vector<std::string> gamma_;  ///< what is warned of in the first cell with warnings
  std::size_t warned_ = 0;
  std::size_t methods_ = 0, times_ = 0;
  int components_ = 0;
  long saved_ = 0;
};

/// OUT/NAME.cells: a dataset of each complete cell, a checkpoint of each that has begun. One rank works on it.
class CellFolder {
 public:
  CellFolder(std::filesystem::path folder, const Cells& cells) : folder_(std::move(folder)), cells_(cells) {}
  /// Makes it, without anything of an earlier sweep. Throws IoError.
  void begin() const;
  /// What of an interrupted sweep is there: the complete cells with their datasets left on disk, the others with their
  /// states. Throws InputError where it belongs to other settings, or there is nothing.
  /// `say` is told where a checkpoint is damaged.
  std::map<std::size_t, CellResult> resume(const std::function<void(const std::string&)>& say) const;
  /// Writes what came of a cell. Throws IoError.
  void keep(std::size_t cell, const CellResult&) const;
  std::filesystem::path dataset(std::size_t cell) const;
  /// Deletes what keep() wrote, and the folder.
  void remove() const;
  const std::filesystem::path& path() const { return folder_; }

 private:
  std::filesystem::path checkpoint(std::size_t cell) const;
  const std::filesystem::path folder_;
  const Cells& cells_;
};

}  // namespace sde::cli
