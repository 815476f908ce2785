// What an experiment runs: a problem (loss, noise, start), methods on it, and where they are observed.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sde/ensemble/diagonal_power.hpp"
#include "sde/ensemble/dynamics.hpp"
#include "sde/ensemble/polynomial.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/model.hpp"
#include "sde/stats/moments.hpp"

namespace sde::ensemble {

using slow::Vector;

/// A loss, its noise, and where paths start (d entries).
struct Problem {
  std::shared_ptr<const LossModel> model;
  Noise noise;
  Vector start;               ///< theta_0
  Vector start_on_gamma;      ///< Phi(theta_0), where the slow SDEs start; theta_0 where there is no Phi (PointModel)
  bool interpolating = true;  ///< residuals vanish on Gamma: the residual terms apply

  /// Sets start_on_gamma and interpolating from model and start. Throws InputError where one of them is missing or of
  /// another dimension, and manifold::FlowError. make_problem() calls it.
  void project_start();
  /// For flow maps of this problem: one that finds out by itself depends on the points that it met.
  manifold::Minimum minimum() const {
    return interpolating ? manifold::Minimum::interpolating : manifold::Minimum::least_squares;
  }
  std::unique_ptr<slow::PointTerms> terms() const;
};

/// An algorithm or a slow SDE, with all that decides its result but the problem.
struct Method {
  std::string name, group;                           ///< in tables; methods of one setting share the group
  const Dynamics* dynamics = &discrete_algorithm();  ///< the algorithm itself, or which equation in its place
  discrete::Algorithm algorithm;                     ///< of the slow SDEs it gives alpha(t)
  bool refined = false;                              ///< the finite-eta refinement of theory.md section 6
  slow::Factors factors;                             ///< of a slow SDE: what it has of each of the theory's terms
  double dt = 0.01;                                  ///< largest step of a slow SDE, in slow time
  int substeps = 4;                                  ///< of a conventional SDE for each step of the algorithm
  slow::Integrator integrator = slow::Integrator::euler_maruyama;
  bool flow_retraction = false;  ///< retract by the flow map itself instead of Newton along the normal space (slow)
  Precision precision =
      Precision::full;  ///< of the steps; observations are in double, as slow SDEs through the Hessian
  long paths = 1;

  /// In files: "local_sgd", "slow_qsr".
  std::string kind() const { return dynamics->kind(*algorithm.type); }
};

/// What is recorded, and when.
struct Observation {
  std::vector<double> times;                        ///< slow times, times[0] = 0
  std::vector<Polynomial> polynomials;              ///< of Phi(theta)
  int components = 0;                               ///< first coordinates whose drift and diffusion are recorded
  long save_paths = 0;                              ///< first paths whose observables are kept one by one
  std::vector<DiagonalPower> diagonal_powers = {};  ///< of the Hessian at Phi(theta), of a network at theta

  /// Observables that a run has beside those of all, in their order: the polynomials, then the powers.
  std::size_t asked_for() const { return polynomials.size() + diagonal_powers.size(); }
};

/// The slow times at which a method is observed where `times` (ascending, not empty) are asked for: the nearest ends of
/// its algorithm's rounds where it has rounds, those asked for where it has none. A schedule of rates runs to its end.
std::vector<double> observed_times(const Method&, const std::vector<double>& times);

/// A path that left the domain: which, when, and what it looked like.
struct LostPath {
  long path = 0;
  long step = 0;  ///< local step (discrete) or time step (slow)
  double slow_time = 0;
  std::string reason;

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& path& step& slow_time& reason;
  }
};

/// What of the Hessian was met at the points of Gamma where paths were observed, on the CPU: a device keeps no record.
struct SpectrumRange {
  long points = 0;
  int least_rank = 0, most_rank = 0;
  double smallest = 0, largest = 0;  ///< of the eigenvalues that are not zero

  /// A point's eigenvalues that are not zero, ascending.
  void add(const Vector& eigenvalues);
  void merge(const SpectrumRange&);
  /// Whether the rank was the same at all points, with what is zero beside the largest eigenvalue of any counted as
  /// zero.
  bool constant_rank() const { return least_rank == most_rank && smallest > slow::kNullThreshold * largest; }

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& points& least_rank& most_rank& smallest& largest;
  }
};

/// Moments over paths. Index [time][quantity].
struct MethodResult {
  using Table = std::vector<std::vector<stats::Moments>>;
  MethodResult() = default;
  /// Empty tables for the observations at `times`.
  MethodResult(const Problem&, const Observation&, std::vector<double> times);
  /// Adds the paths of `from`, which come after those held so far.
  void merge(const MethodResult& from);
  /// The same for what `from` observed as its time number `row`, which is time `t` here; the counts of paths stay.
  void merge_time(std::size_t t, const MethodResult& from, std::size_t row);

  std::vector<double> slow_time;  ///< the actual slow time of each observation
  std::vector<std::string> observables;
  Table values;                                           ///< observables
  Table drift_1, drift_2, ito_normal, diffusion;          ///< [time][component], predicted
  Table rate;                                             ///< [interval][component], increment of Phi over slow time
  Table diffusion_pairs;                                  ///< [time][pair], predicted (model/observables.hpp)
  Table rate_sums, rate_differences;                      ///< [interval][pair], for the covariances of the rates
  std::vector<std::vector<std::vector<double>>> samples;  ///< [time][observable][sample], the first that are not lost
  std::vector<std::vector<long>> sample_paths;            ///< [time][sample], the number of its path
  long most_samples = kQuantilePaths;
  long paths = 0, lost = 0;
  LostPath first_lost;
  double gradients = 0;  ///< gradient evaluations (discrete) or term evaluations (slow), all paths
  SpectrumRange spectra;

  /// Number of an observable in values and samples, by its name. Throws std::out_of_range, with the names there are.
  std::size_t index_of(std::string_view name) const;
  const stats::Moments& at(std::size_t time, std::string_view name) const { return values.at(time)[index_of(name)]; }
  Table& table(PerComponent);

  static constexpr long kQuantilePaths = 2048;
  /// Quantile p over the first kQuantilePaths that are kept (linear interpolation); not a number without any.
  double quantile(std::size_t time, std::size_t observable, double p) const;
  /// Whether there is no room for more samples: lost paths never return, so the last time's are full last.
  bool samples_full() const;
  void drop_samples();

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& slow_time& observables& values& drift_1& drift_2& ito_normal& diffusion& rate& diffusion_pairs& rate_sums&
        rate_differences& samples& sample_paths& most_samples& paths& lost& first_lost& gradients& spectra;
  }
};

/// Names of the observables in the order of MethodResult::values.
std::vector<std::string> observable_names(const Problem&, const Observation&);

class Ranks;

/// How the work is done; results do not depend on it.
struct Control {
  int threads = 1;
  std::function<void(double)> progress = [](double) {};  ///< fraction of this method done
  const std::atomic<bool>* interrupted = nullptr;
  /// Whether to stop where nothing is lost by it (between observations of a block, between tiles of a device), as
  /// where the state is to be kept now and then: resume() gives false, and goes on when called again. Several threads
  /// ask. Who runs a method at one go has none.
  std::function<bool()> pause = {};
  int device = -1;  ///< number of the CUDA device that advances paths, where it can; -1: none
  std::function<void(const std::string&)> notice = [](const std::string&) {};  ///< told what the user should know
  Ranks* ranks = nullptr;  ///< processes that share the work (ranks.hpp); nullptr: this one alone

  bool stopping() const { return interrupted && *interrupted; }
  bool pausing() const { return pause && pause(); }
};

/// A block of consecutive paths on its way: all that is needed to go on with the same bits.
struct BlockState {
  long done = 0;          ///< paths of the block that are complete
  std::size_t time = 0;   ///< observations made of the kLanes paths in hand
  std::vector<double> x;  ///< [size][lane] of the paths in hand (discrete::StateShape)
  std::array<double, kLanes> spread{};
  unsigned gone = 0;             ///< lanes lost
  std::vector<Vector> previous;  ///< [lane] Phi at the last observation
  MethodResult part;             ///< of the block so far

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& done& time& x& spread& gone& previous& part;
  }
};

/// A group of blocks on its way.
struct GroupState {
  long merged = 0;                        ///< its first blocks, which are in `part`
  MethodResult part;                      ///< without tables before the first
  std::map<long, BlockState> unfinished;  ///< begun (or complete behind an unfinished one), by number in the method

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& merged& part& unfinished;
  }
};

/// A method on its way.
struct MethodState {
  long merged = 0;  ///< whole groups in `total`
  MethodResult total;
  std::map<long, GroupState> begun;  ///< groups begun (or complete behind an unfinished one), by number

  /// Keeps what is known of group number `group`, and merges those that are complete, in their order; `blocks` are the
  /// method's.
  void add(long group, GroupState state, long blocks);

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& merged& total& begun;
  }
};

/// Model and start of a problem. Throws InputError, which names the field, what was expected and what came.
void check_start(const Problem&);
/// All of a problem. Throws InputError.
void check(const Problem&);
/// A method on a problem that has been checked. Throws InputError.
void check(const Problem&, const Method&);
/// Whether there is a slow SDE of an algorithm with so many workers. Throws InputError where samples are reshuffled on
/// a loss that keeps residuals on Gamma: a synchronization inside an epoch cuts what cancels over it, and the factor of
/// that is not known (theory.md section 11).
void check_slow_sde(const Problem&, int workers);
/// What is observed of a problem that has been checked. Throws InputError.
void check(const Problem&, const Observation&);

/// Goes on from `state` until all paths are run (true), or control.interrupted is set or control.pause() true (false).
/// Same bits for any number of threads, ranks and interruptions; on a device all but the last digits of what is
/// observed. Throws InputError by check(), DeviceUnusable and DeviceFailure; with several ranks, all of which call it
/// and end with the same state, as RankError on each.
bool resume(const Problem&, const Method&, const Observation&, const Control&, MethodState& state);

struct Interrupted : std::exception {};

/// All paths of one method from the start. Throws Interrupted.
MethodResult run(const Problem&, const Method&, const Observation&, const Control&);

}  // namespace sde::ensemble
