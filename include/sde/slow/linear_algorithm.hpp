// The slow SDE of any algorithm that is linear in its gradients (theory.md section 9): the covariance of its
// fluctuation across Gamma, by the periodic Sylvester equation, gives the weights w(lambda_i, lambda_j) of its drift
// and the factor of its diffusion.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <string>
#include <vector>

namespace sde::slow {

/// One step z <- A z - eta C g, where g[G] are gradients at y = R z, each with its own noise.
struct LinearStep {
  Eigen::MatrixXd A;  ///< [S][S]
  Eigen::MatrixXd C;  ///< [S][G]
  Eigen::MatrixXd R;  ///< [G][S]; G may be 0
};

/// S slots of R^d, and the steps of a period. Slots are workers' iterates, momenta, an anchor, old iterates.
struct LinearAlgorithm {
  std::vector<LinearStep> period;
  Eigen::VectorXd consensus;  ///< z0[S]: 1 of iterates, 0 of momenta; every A leaves it as it is
  double eta = 0;
  double batch = 1;        ///< b of one gradient
  double local_steps = 0;  ///< of a period: its slow time over eta^2
};

/// The same where K workers are alike: each takes `steps` steps of the same kind by gradients of its own, then they
/// synchronize. Only the average of the workers, with what is kept once, and a worker's deviation from it matter.
struct ExchangeableAlgorithm {
  int workers = 1;                    ///< K
  long steps = 1;                     ///< H
  Eigen::MatrixXd A;                  ///< [s][s] a worker's step
  Eigen::VectorXd C;                  ///< [s] what a gradient moves
  Eigen::VectorXd R;                  ///< [s] where it is taken
  Eigen::MatrixXd synchronize;        ///< [s + q][s + q] of the workers' average and the q slots that are kept once
  Eigen::MatrixXd synchronize_apart;  ///< [s][s] of a worker's deviation from the average
  Eigen::VectorXd consensus;          ///< [s + q]
  double eta = 0;
  double batch = 1;  ///< b of one gradient: B/K
};
/// Slot by slot, worker by worker: [w * s + slot], then the q slots.
LinearAlgorithm expanded(const ExchangeableAlgorithm&);
/// The workers' average alone, of s + q slots: one gradient a step, of batch K b, and the synchronization at the end.
LinearAlgorithm average_of(const ExchangeableAlgorithm&);

/// l[S], by which the slow variable is l . z (theory.md section 9): steps without gradients leave it as it is. Of the
/// state after `done` of a period's steps with gradients, and those without that follow: at the end of a period 0,
/// where l is the product's left eigenvector for the eigenvalue 1, l . z0 = 1. Throws InputError as FluctuationWeights.
Eigen::VectorXd conserved(const LinearAlgorithm&, long done = 0);

/// Where a fluctuation grows: an eigenvalue of the Hessian, and the spectral radius of a period there.
struct Instability {
  double lambda = 0, radius = 0;
};

/// The weights of an algorithm. Throws InputError where the matrices do not fit each other, the consensus is not kept,
/// or what it does not keep does not die out (the eigenvalue 1 is not simple: workers that never meet, undamped
/// momenta).
class FluctuationWeights {
 public:
  explicit FluctuationWeights(LinearAlgorithm);
  explicit FluctuationWeights(const ExchangeableAlgorithm&);

  /// w: a slow SDE's drift is -P_par D3L[W], W_ij = w(lambda_i, lambda_j) <v_i, Sigma v_j> for a pair of eigenvalues
  /// not both 0, per slow time eta^2 a local step. Of SGD 1/(2b (lambda_i + lambda_j - eta lambda_i lambda_j)).
  /// Symmetric.
  double weight(double lambda_i, double lambda_j) const;
  /// The covariance of the slow variable per slow time, over Sigma_par. Of SGD 1/b.
  double diffusion() const { return diffusion_; }
  /// How far a constant gradient moves the slow variable in a period, over eta and the local steps: the effective
  /// learning rate over eta. Of heavy ball 1/(1 - beta).
  double effective_rate() const { return effective_rate_; }
  /// The spectral radius of a period's fluctuation at an eigenvalue: below 1 where it is stable.
  double spectral_radius(double lambda) const;
  /// The first of the eigenvalues > 0 at which it is not below 1.
  std::optional<Instability> unstable_at(const Eigen::VectorXd& eigenvalues) const;

 private:
  /// A mode of the fluctuation: all slots, or those of the average, or of a deviation.
  struct Mode {
    LinearAlgorithm algorithm;
    Eigen::VectorXd conserved;  ///< l at the end of a period: what the variances at gradients count in the drift
  };
  void add_mixing_modes(const LinearAlgorithm&, double share);
  static double mode_weight(const Mode&, double lambda_i, double lambda_j);

  std::vector<Mode> modes_;
  std::optional<long> delay_;  ///< of delayed(): closed forms in the place of modes
  double eta_ = 0, batch_ = 1, local_steps_ = 0, diffusion_ = 0, effective_rate_ = 0;
};

}  // namespace sde::slow
