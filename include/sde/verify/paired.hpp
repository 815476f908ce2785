// Common noise: the discrete algorithm and its slow SDE driven by the same random numbers. A step of the slow SDE takes
// for its Brownian increment what the algorithm drew meanwhile (loss/innovations.hpp), summed over steps and workers
// and normalized; P_par(zeta) A projects it on the tangent space. The SDE keeps its law (exactly where the draws are
// Gaussian; errors +-sigma and drawn samples, which move zeta where residuals stay on Gamma, have the same mean and
// covariance, and their sums tend to Gaussians), and the difference g(Phi(avg)) - g(zeta) has the noise of both nearly
// cancelled. avg stands for the algorithm's slow variable: the workers' average, and where momenta lag what is still to
// come of them, too (discrete::AlgorithmType::slow_variable).
//
// The SDE runs twice, with steps dt and 2 dt on the same increments: 2 g(zeta_dt) - g(zeta_2dt) has no time-step error
// of first order left (Talay, Tubaro 1990), and g(zeta_dt) - g(zeta_2dt) estimates what was removed.
#pragma once

#include <functional>
#include <optional>

#include "sde/ensemble/method.hpp"
#include "sde/slow/moving_metric.hpp"
#include "sde/verify/term_fit.hpp"
#include "sde/verify/test_function.hpp"

namespace sde::verify {

using ensemble::Problem;
using stats::Moments;

/// A slow SDE to be held against the algorithm: the theory's, or a wrong one as a negative control.
struct Prediction {
  std::string name;
  slow::Parameters parameters;
  double time_scale = 1;  ///< slow time of the prediction over that of the algorithm
  /// The parameters at local step k where the algorithm's schedules change; none: `parameters` throughout.
  std::function<slow::Parameters(std::int64_t k)> at{};
  /// Of an adaptive method: v starts where the algorithm's is.
  std::optional<slow::MovingMetric> metric{};
};

/// The slow SDE that the theory gives for an algorithm, or a proposed one with `factors`.
/// Throws InputError where an adaptive method has none.
Prediction theory(const discrete::Algorithm& algorithm, const slow::Factors& factors = {});
/// With the finite-eta refinement of theory.md section 6.
Prediction refined(const discrete::Algorithm& algorithm, const slow::Factors& factors = {});

/// An algorithm, the predictions to hold it against, and where.
struct Pairing {
  discrete::Algorithm algorithm;  ///< where its schedules change, on the CPU alone, and without burn-in
  std::vector<Prediction> predictions;
  std::vector<double> times;  ///< slow times of comparison, ascending, above 0
  double burn_in = 0;         ///< slow time before the comparison starts: the SDE starts at Phi(avg) then
  double dt = 0.005;          ///< largest time step of the SDE, as far as a round is not longer
  std::vector<TestFunction> functions;
  long paths = 1024;
  bool fit_terms = false;  ///< gathers PairedResult::terms; the functions are then linear forms, prediction 0 the
                           ///< theory's
};

/// Index [time][function]; those of a prediction [prediction][time][function].
struct PairedResult {
  using Table = std::vector<std::vector<Moments>>;
  std::vector<double> slow_time;
  Table algorithm;                ///< g(Phi(avg))
  Table increment;                ///< g(Phi(avg)) - g(start), less the martingale of prediction 0: the same mean
  std::vector<Table> prediction;  ///< 2 g(zeta_dt) - g(zeta_2dt)
  std::vector<Table> drift;       ///< the same minus g(start) and its own martingale
  std::vector<Table> gap;         ///< increment - drift, path by path: algorithm minus prediction
  std::vector<Table> step_error;  ///< g(zeta_dt) - g(zeta_2dt)
  std::vector<Moments> distance;  ///< |avg - Phi(avg)|
  std::vector<TermSums> terms;    ///< of each block of paths, for fit_terms()
  long paths = 0;
  long lost = 0;  ///< paths that the algorithm or prediction 0 lost; one that another prediction lost is left out of
                  ///< its own tables
  double gradients = 0;   ///< gradient evaluations of the algorithm
  double slow_steps = 0;  ///< steps of all slow SDEs

  void merge(const PairedResult&);

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& slow_time& algorithm& increment& prediction& drift& gap& step_error& distance& terms& paths& lost& gradients&
        slow_steps;
  }
};

/// Slow times of the ends of double steps nearest to the pairing's `times`, one for each: two of them may be the same.
/// Throws as run_paired().
std::vector<double> paired_times(const Pairing&);

/// Same bits for any number of threads and ranks. Throws ensemble::Interrupted, InputError (ensemble::check,
/// check_slow_sde), and std::invalid_argument where the slow SDE's columns are not what the algorithm draws
/// (check_recordable), some predictions have a metric and others none, a term fit is asked of other functions, or,
/// under schedules that change, the run is shorter than two rounds, has a burn-in, or is compared twice at one time; on
/// all ranks, what one of them throws.
PairedResult run_paired(const Problem&, const Pairing&, const ensemble::Control&);

/// A pairing on its way.
struct PairingState {
  /// A group of blocks on its way.
  struct Group {
    long merged = 0;    ///< its first blocks, which are in `part`
    PairedResult part;  ///< without tables before the first

    template <class Archive>
    void serialize(Archive& a, unsigned) {
      a& merged& part;
    }
  };
  long merged = 0;  ///< whole groups in `total`
  PairedResult total;
  std::map<long, Group> begun;  ///< by number

  template <class Archive>
  void serialize(Archive& a, unsigned) {
    a& merged& total& begun;
  }
};

/// Goes on from `state` until all paths are run (true), or control.interrupted is set or control.pause() true (false):
/// state.total is then, bit by bit, what run_paired() gives. What a device has of a group that is not complete it runs
/// again. Throws as run_paired().
bool resume_paired(const Problem&, const Pairing&, const ensemble::Control&, PairingState& state);

}  // namespace sde::verify
