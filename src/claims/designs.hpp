// At which settings a claim is measured: learning rates, K, alpha = eta H, total batch B, slow times, numbers of paths
// (at effort 1), and the half-width of the margin. The defaults are the shipped table's; a case changes what it must,
// and an experiment file's own algorithm gives all of them (own_designs.cpp).
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "other_algorithms.hpp"

namespace sde::claims {

/// Claim 2: every K with every alpha (K > 1) at every rate.
struct DriftDesign {
  std::vector<int> workers{1, 8};
  std::vector<double> alpha{0.1, 1}, eta{0.004};
  double time = 0.2;  ///< slow time over which the drift is averaged
  double dt = 0.005;  ///< largest step of the SDE
  int batch = 8;
  long paths = 128;          ///< at K = 2
  double control_alpha = 1;  ///< where the control is taken
  double margin = 0.03;      ///< of the limit's drift-II; K = 1: of the drift
};

/// Claim 3.
struct DiffusionDesign {
  struct Cells {
    int workers;
    std::vector<double> alpha, eta;
    long paths;
    bool control;  ///< B twice as large: with long rounds its other drift shows more than its diffusion
  };
  /// More workers with long rounds need a smaller rate: drift-II moves each round's end.
  std::vector<Cells> cells{{1, {0}, {0.01, 0.005}, 512, true},
                           {2, {0.05, 0.5, 2}, {0.01, 0.005}, 512, true},
                           {4, {0.05, 0.5, 2}, {0.01, 0.005}, 512, true},
                           {8, {0.05, 0.5, 2}, {0.01, 0.005}, 512, true},
                           {16, {0.05, 0.5, 2}, {0.005, 0.0035}, 256, false},
                           {32, {0.05, 0.5}, {0.005, 0.0035}, 256, false}};
  int directions = std::numeric_limits<int>::max();  ///< at most so many, by falling variance
  int batch = 32;
  double time = 0.1, dt = 0.005;
  double margin = 0.05;  ///< of the variances
};

/// Claim 14.
struct AlgorithmsDesign {
  /// None: those of the shipped table, at the effective rate and batch below.
  std::vector<OtherAlgorithm> all;
  double effective = 0.01;
  int batch = 12;
  double time = 0.2, dt = 0.005;
  long paths = 512;
  double margin = 0.05;
};

/// Claim 4: a ladder of rates at fixed K, alpha and B.
struct WeakErrorDesign {
  std::vector<double> eta{0.08, 0.04, 0.02, 0.01, 0.005};  ///< falling, each half the one before
  int workers = 4, batch = 8;
  double alpha = 0.4;
  std::vector<double> times{0.25, 0.5, 0.75, 1};
  double dt = 0.005;
  long paths = 2048;  ///< at the smallest rate; twice as many at each larger one, which costs less and shows more
  bool whole = true;  ///< also the largest error over all s and g, smallest rate over largest, and the laws
  double law_eta = 0.01, law_time = 2, law_margin = 0.1;  ///< of the laws' distance
  long law_paths = 2048;
  /// The entry of `eta` where the error itself is judged, and the largest error there; none: npos.
  std::size_t own = std::string::npos;
  double margin = 0.05;  ///< of the scale of g: the size of its change and its standard deviation
};

/// Claim 5.
struct DistanceDesign {
  std::vector<double> eta{0.04, 0.02, 0.01, 0.005, 0.0025};
  int workers = 4, batch = 8;
  double alpha = 0.4, time = 0.05, dt = 0.005;
  long paths = 2048;
  double margin = 0.1;  ///< of the order
};

/// Claim 6: SGD's limit H = 1, and the limit of long rounds.
struct LimitsDesign {
  int batch = 8;
  int short_workers = 4;
  double short_eta = 0.0025, short_time = 0.2, short_margin = 0.03;
  long short_paths = 1024;
  int workers = 8;
  double most_eta = std::numeric_limits<double>::infinity();
  double round = 0.02;  ///< slow time of a long round
  double time = 0.1, dt = 0.005, margin = 0.05;
  long paths = 192;  ///< 0: long rounds are not measured
  std::string why_no_long_rounds;
  /// psi(alpha lambda) is within 1/(alpha lambda) of its limit, psi(2 alpha lambda) within half of that.
  double alpha_lambda = 40;
  double alpha(double lambda_min, double margin_factor) const { return alpha_lambda / lambda_min / margin_factor; }
  double eta(double alpha) const { return std::min(most_eta, round / alpha); }
};

/// Claim 7.
struct LabelNoiseDesign {
  int workers = 8, batch = 8;
  double eta = 0.002;
  bool sgd = true;                            ///< the fall under SGD, too
  std::vector<double> fall_alpha{0.05, 0.5};  ///< where the fall is followed
  std::vector<double> alpha{0.05, 0.5, 5.0};  ///< where the speed-up is measured
  double time = 1, short_time = 0.05, dt = 0.005;
  long paths = 64, sgd_short_paths = 2048, short_paths = 512;
  double margin = 0.03;
};

/// Claim 8.
struct TimeScalesDesign {
  int workers = 8, batch = 8;
  double alpha = 0.5, eta = 0.005;
  double time = 1;                             ///< 1/eta^2 steps: when they separate
  std::vector<double> larger_eta{0.01, 0.02};  ///< further points after 2/eta steps
  double dt = 0.005;
  long paths = 1024;
  double margin = 0.05;  ///< of the separation at `time`
};

/// Claim 9: both algorithms before their rates and batches are doubled.
struct LinearScalingDesign {
  bool sgd = true, local = true;
  double sgd_eta = 0.0025;
  int sgd_batch = 4;
  double eta = 0.005;
  int workers = 4, batch = 4;
  long H = 40;
  /// Compared after a fixed number of samples, so at slow time proportional to B; t/B = (eta/B)^2 samples: whole rounds
  /// and whole SDE steps for every run.
  double time_over_batch = 0.05, dt_over_batch = 0.001;
  long paths = 2048;
  double margin = 0.03;
};

/// Claim 13.
struct ControlsDesign {
  int workers = 4, batch = 8;
  double alpha = 0.5, eta = 0.005, time = 0.25, dt = 0.005;
  long paths = 2048;
  double margin = 0.03;
  double deviation_margin = 0.02;  ///< of a standard deviation, where Local SGD is SGD
};

/// Which term is wrong (wrong_term.hpp), asked where something disagrees: the algorithm itself, and with K > 1 at other
/// H, which tell drift-II and the tangent-normal blocks from drift-I.
struct TermsDesign {
  double eta = 0.01;
  int workers = 1, batch = 1;
  std::vector<long> H;  ///< none: not asked
  double time = 0.1, dt = 0.005;
  int intervals = 10;
  long paths = 512;      ///< of each H
  double margin = 0.05;  ///< of a term's factor
};

struct Designs {
  double identity_margin = 1e-5;  ///< claim 1
  DriftDesign drift;
  DiffusionDesign diffusion;
  WeakErrorDesign weak_error;
  DistanceDesign distance;
  LimitsDesign limits;
  LabelNoiseDesign label_noise;
  TimeScalesDesign time_scales;
  LinearScalingDesign linear_scaling;
  ControlsDesign controls;
  TermsDesign terms;
  AlgorithmsDesign algorithms;
};

}  // namespace sde::claims
