// What is recorded of the paths of a pairing.
#pragma once

#include "paired_plan.hpp"

namespace sde::verify {

class PairedObserver {
 public:
  PairedObserver(const Problem&, const Pairing&);
  /// Adds paths first .. last - 1 of the snapshots to `result`.
  void operator()(const PairedSnapshots&, long first, long last, PairedResult& result);

 private:
  void observe(const PairedState&, long path, std::size_t t, PairedResult&);
  /// g of every function at component k of which is x[k * stride].
  void values(const double* x, long stride, std::vector<double>& v);

  const Problem& problem_;
  const Pairing& pairing_;
  const int d_;
  std::unique_ptr<slow::PointTerms> terms_;
  bool asks_for_terms_ = false;
  Vector point_;
  std::vector<double> start_, algorithm_, fine_, coarse_;  ///< [function] values
};

}  // namespace sde::verify
