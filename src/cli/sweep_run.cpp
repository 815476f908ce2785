#include "sweep_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "../experiment/dataset.hpp"
#include "../experiment/durable_file.hpp"
#include "../experiment/sweep_dataset.hpp"
#include "cli.hpp"
#include "output_lock.hpp"
#include "progress.hpp"
#include "sde/ensemble/bytes.hpp"
#include "session.hpp"
#include "simulate.hpp"
#include "sweep_cells.hpp"
#include "sweep_report.hpp"

namespace sde::cli {

namespace {

using ensemble::MethodResult;
using Numbers = std::vector<std::size_t>;
/// Takes what came of a cell; one at a time.
using Deliver = std::function<void(std::size_t cell, CellResult)>;

/// A failed method's place in the dataset: no numbers, but what was run and lost.
MethodResult without_values(const experiment::Experiment& e, std::size_t method, const MethodResult& r) {
  MethodResult empty(e.problem, e.observation, r.slow_time.empty() ? e.observation.times : r.slow_time);
  empty.paths = e.methods[method].paths;
  empty.lost = r.lost;
  empty.gradients = r.gradients;
  return empty;
}

class SweepRunner {
 public:
  SweepRunner(const RunOptions& o, const experiment::FileText& file, const experiment::Sweep& sweep,
              ensemble::Ranks* ranks, std::string command_line)
      : options_(o),
        sweep_(sweep),
        ranks_(ranks),
        command_line_(std::move(command_line)),
        name_(file.path.stem().string()),
        dataset_(std::filesystem::path(o.out) / (name_ + ".nc")),
        leader_(leads(ranks)),
        progress_(o.quiet || !leader_),
        cells_(file, o.set, sweep),
        folder_(std::filesystem::path(o.out) / (name_ + ".cells"), cells_),
        part_(cells_.count()) {
    if (!alone(ranks))  // each has read its own node's file
      gather(*ranks, fmt::format("settings {:x}", std::hash<std::string>()(sweep.source())), [](std::string&) {
      }).check();
    for (const auto& note : cells_.notes()) say(note);
    if (leader_) {
      prepare_folder(o.out);
      lock_.emplace(o.out, name_, [&](const std::string& text) { say(text); });
      experiment::remove_unfinished(dataset_);
    }
    known_ = ensemble::unpacked<std::map<std::size_t, CellResult>>(ensemble::from_rank_0(ranks, "the cells", [&] {
      if (o.resume) return ensemble::packed(folder_.resume([&](const auto& text) { say(text); }));
      folder_.begin();
      return ensemble::packed(std::map<std::size_t, CellResult>());
    }));
  }

  int operator()() {
    control_ = control_of(options_.threads, options_.device, options_.quiet, ranks_);
    if (control_.device >= 0 && options_.jobs > 1) say("cells on a GPU run one after another: --jobs has no effect");
    jobs_ = static_cast<std::size_t>(control_.device >= 0 ? 1 : options_.jobs);
    for (std::size_t c = 0; c < cells_.count(); ++c) {
      const auto known = known_.find(c);
      if (known == known_.end() || known->second.dataset.empty())
        pending_.push_back(c);
      else
        part_[c] = 1;
    }
    try {
      if (!(alone(ranks_) ? by_this_process() : by_ranks())) return stop("interrupted", kInterrupted);
    } catch (const DeviceFailure& failure) {
      return stop(failure.what(), kNumericalFailure);
    }
    return leader_ ? finish() : static_cast<int>(kDone);  // rank 0's code counts
  }

 private:
  bool by_this_process() {
    return advance(pending_, nullptr, [&](std::size_t c, const CellResult& r) { keep(c, r); });
  }

  /// Whole cells for each rank where there are enough; else all ranks at each cell.
  bool by_ranks() {
    const auto size = static_cast<std::size_t>(ranks_->size()), rank = static_cast<std::size_t>(ranks_->rank());
    if (pending_.size() < size) {
      jobs_ = 1;
      return advance(pending_, ranks_, [&](std::size_t c, const CellResult& r) {
        if (leader_) keep(c, r);
      });
    }
    const std::size_t turn = size * jobs_;
    ends_turn_ = true;
    for (std::size_t from = 0; from < pending_.size(); from += turn) {
      const std::size_t to = std::min(pending_.size(), from + turn);
      for (Numbers left(pending_.begin() + static_cast<std::ptrdiff_t>(from),
                        pending_.begin() + static_cast<std::ptrdiff_t>(to));
           !left.empty();) {
        Numbers mine;
        for (std::size_t i = from + rank; i < to; i += size)
          if (std::find(left.begin(), left.end(), pending_[i]) != left.end()) mine.push_back(pending_[i]);
        const auto gathered = gather(
            *ranks_, fmt::format("cells {} to {}", from, to),
            [&](std::string& bytes) {
              ensemble::Packer out(bytes);
              advance(mine, nullptr, [&](std::size_t c, const CellResult& r) { out& c& r; });
            },
            [&] { return control_.stopping(); });
        take(gathered, left);
        gathered.check();
        interrupted_ = false;
        if (gathered.stop && (!left.empty() || to < pending_.size())) return false;
      }
    }
    return true;
  }

  /// Keeps what the ranks have of their cells; `left` loses those that are complete.
  void take(const ensemble::Gathered& gathered, Numbers& left) {
    for (const auto& bytes : gathered.bytes)
      for (ensemble::Unpacker in(bytes); !in.empty();) {
        std::size_t c = 0;
        CellResult r;
        in& c& r;
        if (leader_) keep(c, r);
        if (r.dataset.empty()) {
          known_[c] = std::move(r);
        } else {
          part_[c] = 1;
          std::erase(left, c);
        }
      }
  }

  /// Writes what came of a cell. A checkpoint that cannot be written is said, and no more.
  void keep(std::size_t cell, const CellResult& r) {
    try {
      folder_.keep(cell, r);
    } catch (const IoError& e) {
      if (!r.dataset.empty() || control_.stopping()) throw;
      say(fmt::format("no checkpoint: {}", e.what()));
    }
  }

  /// Cells, `jobs` at a time; false where one was interrupted. The first exception stops the rest and is thrown again.
  bool advance(const Numbers& cells, ensemble::Ranks* ranks, const Deliver& deliver) {
    std::size_t next = 0;
    std::exception_ptr failure;
    const auto work = [&] {
      for (;;) {
        std::size_t mine = 0;
        {
          const std::lock_guard lock(mutex_);
          if (failure || interrupted_ || next >= cells.size()) return;
          mine = cells[next++];
        }
        try {
          one(mine, ranks, deliver);
        } catch (...) {
          const std::lock_guard lock(mutex_);
          if (!failure) failure = std::current_exception();
        }
      }
    };
    const std::size_t jobs = std::max<std::size_t>(1, std::min(jobs_, cells.size()));
    threads_ = std::max(1, control_.threads / static_cast<int>(jobs));
    std::vector<std::jthread> pool;
    for (std::size_t j = 1; j < jobs; ++j) pool.emplace_back(work);
    work();
    pool.clear();
    if (failure) std::rethrow_exception(failure);
    return !interrupted_;
  }

  void one(std::size_t cell, ensemble::Ranks* ranks, const Deliver& deliver) {
    const auto e = [&] {
      const std::lock_guard lock(mutex_);
      return cells_.load(cell);
    }();
    const auto plan = experiment::plan_pairs(e);
    experiment::RunState state;
    if (const auto known = known_.find(cell); known != known_.end()) state = known->second.state;
    std::vector<std::string> failures(e.methods.size());
    auto control = control_;
    control.ranks = ranks;
    control.threads = threads_;
    Listener listener;
    listener.keep_going = true;
    listener.say = [&](const std::string& text) { say(fmt::format("{}: {}", cells_.name(cell), text)); };
    listener.progress = [&](double fraction, const std::string& method) { show(cell, fraction, method); };
    listener.failed = [&](std::size_t method, const std::string& why) { failures[method] = why; };
    CheckpointClock clock(options_.checkpoint_every);
    control.pause = [&] { return clock.due(); };
    listener.paused = [&] {
      if (ends_turn_ || !goes_on(control)) return false;
      const std::lock_guard lock(mutex_);
      deliver(cell, {"", state});
      clock.go_on();
      return true;
    };
    bool finished = false;
    try {
      finished = simulate(e, plan, control, state, listener);
    } catch (const DeviceFailure&) {
      const std::lock_guard lock(mutex_);
      deliver(cell, {"", std::move(state)});
      throw;
    }
    const std::lock_guard lock(mutex_);  // netCDF is not made for several threads either
    if (finished) return deliver(cell, {dataset_of(e, plan, state, failures), {}});
    interrupted_ = true;
    deliver(cell, {"", std::move(state)});
  }

  /// The bytes of a cell's dataset, without the numbers of what failed.
  std::string dataset_of(const experiment::Experiment& e, const experiment::PairPlan& plan, experiment::RunState& state,
                         const std::vector<std::string>& failures) const {
    std::vector<MethodResult> results;
    for (std::size_t m = 0; m < e.methods.size(); ++m)
      results.push_back(failures[m].empty() ? std::move(state.methods[m].total)
                                            : without_values(e, m, state.methods[m].total));
    std::vector<experiment::Pair> pairs;
    std::vector<verify::PairedResult> paired;
    for (std::size_t i = 0; i < plan.pairs.size(); ++i) {
      if (!failures[plan.pairs[i].algorithm].empty()) continue;
      pairs.push_back(plan.pairs[i]);
      paired.push_back(std::move(state.pairs[i]));
    }
    return experiment::dataset_bytes(e, results, {pairs, paired}, command_line_, failures);
  }

  int stop(const std::string& why, ExitCode with) {
    std::size_t complete = 0;
    for (std::size_t c = 0; c < cells_.count(); ++c) complete += std::filesystem::exists(folder_.dataset(c));
    say(fmt::format("{}; {} of {} cells are complete, kept in {} (the same command with --resume goes on from there)",
                    why, complete, cells_.count(), folder_.path().string()));
    return with;
  }

  int finish() {
    progress_.clear();
    std::vector<std::filesystem::path> files;
    std::vector<experiment::CellSummary> summaries;
    for (std::size_t c = 0; c < cells_.count(); ++c) {
      files.push_back(folder_.dataset(c));
      summaries.emplace_back(experiment::CellFile(files.back()));
    }
    const auto prefix = std::filesystem::path(options_.out) / name_;
    const std::string dataset = dataset_.string();
    experiment::write_sweep_dataset(dataset, sweep_, files, summaries, command_line_);
    const std::string title = experiment::CellFile(files.front()).attribute("title");
    folder_.remove();
    const SweepReport report{title,  dataset,   experiment::CellFile(dataset).attribute("gamma"),
                             sweep_, summaries, experiment::common_runs(summaries)};
    if (options_.json)
      fmt::print("{}\n", to_json(report).dump(2));
    else
      print_table(report);
    int code = kDone;
    const auto failed = failures_of(report);
    if (!failed.empty()) {
      say(fmt::format("{} of {} cells failed; their values are not numbers in the dataset, the others are kept:\n  {}",
                      failed.size(), cells_.count(), fmt::join(failed, "\n  ")));
      code = kNumericalFailure;
    }
    const bool names = !options_.json && !options_.quiet;
    if (names) fmt::print("\ndataset {}\n", dataset);
    if (options_.no_figure) return code;
    if (drawn("plot_sweep.py", {dataset, "--out", prefix.string()}, [&](const std::string& text) { say(text); })) {
      if (names) fmt::print("figure  {}\n", figure_files(prefix.string(), {"png", "svg"}));
      return code;
    }
    say(fmt::format("the figure was not drawn; the dataset is complete (sde plot {} tries again)", dataset));
    return code == kDone ? static_cast<int>(kIoFailure) : code;
  }

  void show(std::size_t cell, double fraction, const std::string& method) {
    double done = 0, all = 0;
    {
      const std::lock_guard lock(showing_);
      part_[cell] = fraction;
      for (std::size_t c = 0; c < part_.size(); ++c) {
        done += part_[c] * cells_.work(c);
        all += cells_.work(c);
      }
    }
    progress_.show(done / all, fmt::format("{}: {}", cells_.name(cell), method));
  }

  /// On standard error, by one rank, once: a cell that goes on after a pause may have it to say again.
  void say(const std::string& text) {
    if (!leader_) return;
    const std::lock_guard lock(showing_);
    if (!said_.insert(text).second) return;
    progress_.clear();
    fmt::print(stderr, "sde: {}\n", text);
  }

  const RunOptions& options_;
  const experiment::Sweep& sweep_;
  ensemble::Ranks* ranks_;
  const std::string command_line_, name_;
  const std::filesystem::path dataset_;
  const bool leader_;
  std::optional<OutputLock> lock_;  ///< of the leader
  Progress progress_;
  const Cells cells_;
  const CellFolder folder_;
  std::map<std::size_t, CellResult> known_;  ///< of an interrupted sweep
  Numbers pending_;
  ensemble::Control control_;
  std::size_t jobs_ = 1;
  int threads_ = 1;           ///< of each job
  std::mutex mutex_;          ///< of the cells' files, and of what follows
  bool interrupted_ = false;  ///< some cell, or it pauses
  bool ends_turn_ = false;    ///< a cell that pauses does: the ranks gather what they have
  std::mutex showing_;        ///< of what is shown, and of
  std::vector<double> part_;  ///< of each cell that is done
  std::set<std::string> said_;
};

}  // namespace

int run_sweep(const RunOptions& o, const experiment::FileText& file, const experiment::Sweep& sweep,
              ensemble::Ranks* ranks, const std::string& command_line) {
  return SweepRunner(o, file, sweep, ranks, command_line)();
}

}  // namespace sde::cli
