#include "sweep_cells.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "../experiment/cell_file.hpp"
#include "../experiment/dataset.hpp"
#include "../experiment/durable_file.hpp"
#include "gamma_report.hpp"
#include "sde/version.hpp"
#include "session.hpp"
#include "simulate.hpp"

namespace sde::cli {

namespace fs = std::filesystem;

namespace {

/// Paths that the dataset keeps one by one.
long saved_paths(const experiment::Experiment& e) {
  long most = 0;
  for (const auto& m : e.methods) most = std::max(most, m.paths);
  return std::min(most, e.observation.save_paths);
}

/// Whether cells may differ in loss or start.
bool sweeps_gamma(const experiment::Sweep& sweep) {
  return std::any_of(sweep.axes.begin(), sweep.axes.end(),
                     [](const auto& a) { return a.key.starts_with("loss.") || a.key.starts_with("start."); });
}

}  // namespace

Cells::Cells(const experiment::FileText& file, std::vector<std::string> set, const experiment::Sweep& sweep)
    : file_(file), set_(std::move(set)), sweep_(sweep) {
  std::string first;
  std::size_t invalid = 0;
  for (std::size_t c = 0; c < sweep.cells(); ++c) {
    try {
      const auto e = load(c);
      if (c == 0) {
        observables_ = ensemble::observable_names(e.problem, e.observation);
        methods_ = e.methods.size();
        times_ = e.observation.times.size();
        components_ = e.observation.components;
        saved_ = saved_paths(e);
      }
      check_shape(e);
      take_notes(c, e);
      sources_.push_back(e.source);
      work_.push_back(work_of(e, experiment::plan_pairs(e)));
    } catch (const InputError& error) {
      if (invalid++ == 0)
        first = fmt::format("sweep, cell {} of {} ({}): {}", c + 1, sweep.cells(), sweep.describe(c), error.what());
      if (c == 0) break;  // most often a key that all have
    }
  }
  if (warned_ > 1) gamma_.back() += fmt::format(" (of {} more cells there is something to warn of, too)", warned_ - 1);
  notes_.insert(notes_.end(), gamma_.begin(), gamma_.end());
  if (repeating_ > 1) repeated_ += fmt::format(" (and {} more cells have such methods)", repeating_ - 1);
  if (repeating_ > 0) notes_.push_back(repeated_);
  if (invalid == 0) return;
  if (invalid > 1) first += fmt::format(" (and {} more cells like it: zipped lists can leave them out)", invalid - 1);
  throw InputError(first);
}

void Cells::take_notes(std::size_t cell, const experiment::Experiment& e) {
  const auto place = fmt::format("cell {} of {} ({})", cell + 1, sweep_.cells(), sweep_.describe(cell));
  for (const auto& note : e.notes)
    if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(note);
  if (!e.problem.model->at_points() && (cell == 0 || sweeps_gamma(sweep_))) {
    const auto warnings = manifold::warnings(findings_of(e.problem));
    if (!warnings.empty() && warned_++ == 0)
      for (const auto& warning : warnings)
        gamma_.push_back(fmt::format("{}Gamma at the start: {}", sweeps_gamma(sweep_) ? place + ": " : "", warning));
  }
  if (!e.repeated.empty() && repeating_++ == 0) repeated_ = fmt::format("{}: {}", place, e.repeated.front());
}

void Cells::check_shape(const experiment::Experiment& e) const {
  const char* differ = nullptr;
  if (ensemble::observable_names(e.problem, e.observation) != observables_) differ = "the observables";
  if (e.observation.times.size() != times_) differ = "the numbers of observations";
  if (e.observation.components != components_) differ = "the numbers of components";
  if (saved_paths(e) != saved_) differ = "the numbers of saved paths";
  if (e.methods.size() != methods_) differ = "the numbers of methods";
  if (differ)
    throw InputError(fmt::format("{} of this cell and cell 1 ({}) differ: expected the same in all, for one dataset",
                                 differ, sweep_.describe(0)));
}

experiment::Experiment Cells::load(std::size_t cell) const {
  auto set = set_;
  const auto own = sweep_.overrides(cell);
  set.insert(set.end(), own.begin(), own.end());
  return experiment::load(file_, set);
}

std::string Cells::name(std::size_t cell) const {
  return fmt::format("cell {} of {} ({})", cell + 1, count(), sweep_.describe(cell));
}

fs::path CellFolder::dataset(std::size_t cell) const { return folder_ / fmt::format("{:04}.nc", cell); }
fs::path CellFolder::checkpoint(std::size_t cell) const { return folder_ / fmt::format("{:04}.checkpoint", cell); }

void CellFolder::begin() const {
  remove();
  prepare_folder(folder_);
}

void CellFolder::remove() const {
  std::error_code error;
  std::vector<fs::path> own;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const auto name = entry.path().filename().string();
    const bool numbered =
        name.size() > 4 && std::all_of(name.begin(), name.begin() + 4, [](unsigned char c) { return std::isdigit(c); });
    if (numbered && (name.substr(4).starts_with(".nc") || name.substr(4).starts_with(".checkpoint")))
      own.push_back(entry.path());
  }
  for (const auto& file : own) fs::remove(file, error);
  fs::remove(folder_, error);  // where nothing of others is in it
}

std::map<std::size_t, CellResult> CellFolder::resume(const std::function<void(const std::string&)>& say) const {
  if (!fs::is_directory(folder_))
    throw InputError(fmt::format("--resume: {}: no cells there (an interrupted sweep leaves them in its --out folder)",
                                 folder_.string()));
  std::map<std::size_t, CellResult> found;
  for (std::size_t c = 0; c < cells_.count(); ++c) {
    if (fs::exists(dataset(c))) {
      const experiment::CellFile file(dataset(c));
      if (file.attribute("experiment") != cells_.source(c) || file.attribute("sde_version") != kVersion)
        throw InputError(fmt::format(
            "--resume: {}: belongs to other settings, another seed or another version ({}): expected the same "
            "experiment file, --set, --sweep and --seed (or run without --resume to start anew)",
            dataset(c).string(), cells_.name(c)));
      found[c].dataset = dataset(c).string();
    } else if (experiment::has_state(checkpoint(c))) {
      found[c].state = experiment::load_checkpoint(checkpoint(c), cells_.load(c), say);
    }
  }
  return found;
}

void CellFolder::keep(std::size_t cell, const CellResult& result) const {
  if (result.dataset.empty()) {
    experiment::save_checkpoint(checkpoint(cell), cells_.load(cell), result.state);
    return;
  }
  experiment::write_file(dataset(cell), result.dataset.data(), result.dataset.size());
  experiment::remove_state(checkpoint(cell));
}

}  // namespace sde::cli
