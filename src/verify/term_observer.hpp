// The sums of a term fit (verify/term_fit.hpp), gathered along the paths of a pairing.
#pragma once

#include "paired_plan.hpp"
#include "sde/verify/term_fit.hpp"

namespace sde::verify {

/// The pairing's functions are the directions u in which increments are seen: linear forms u.x.
class TermObserver {
 public:
  /// Throws std::invalid_argument where a function is none, or prediction 0 is not the theory's.
  TermObserver(const Problem&, const Pairing&);
  /// Sums over paths first .. last - 1 of the snapshots, which were taken at the slow times `times`.
  TermSums operator()(const PairedSnapshots& seen, const std::vector<double>& times, long first, long last);

 private:
  /// In the directions: the terms of the mean [direction][term], the sum of the theory's own, and the diffusion's
  /// columns.
  struct Terms {
    slow::Matrix drift, columns;
    Vector total;
  };
  Terms terms_at(const Vector& point);
  void add(const Terms& before, const Terms& after, const Vector& increment, const Vector& martingale, double width,
           TermSums& sums) const;
  Vector seen_at(const Vector& point) const { return directions_.transpose() * point; }

  const Problem& problem_;
  const slow::Parameters parameters_;
  std::unique_ptr<slow::PointTerms> terms_;
  slow::Matrix directions_;  ///< columns
};

}  // namespace sde::verify
