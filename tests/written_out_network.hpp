// What the step loop does with a perceptron's samples, written out: each batch's gradient by automatic differentiation
// of the loss of its samples alone.
#pragma once

#include <doctest/doctest.h>

#include "networks.hpp"
#include "problems.hpp"

namespace sde::test {

inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t k = 0; k < a.size(); ++k) largest = std::max(largest, std::abs(a[k] - b[k]));
  return largest;
}

/// The loss of some of its samples, with these classes.
inline network::Perceptron with_samples(const network::Perceptron& loss, const std::vector<int>& picked,
                                        const std::vector<int>& classes) {
  std::vector<double> rows;
  const auto& all = *loss.samples;
  for (const int i : picked)
    for (int j = 0; j < all.features; ++j) rows.push_back(all.x[all.place(i) + static_cast<std::size_t>(j)]);
  return {loss.net,
          std::make_shared<const network::Samples>(network::make_samples(rows, all.features, classes, loss.classes()))};
}

inline std::vector<double> gradient_of(const network::Perceptron& loss, const std::vector<double>& theta) {
  std::vector<double> g(theta.size());
  loss::gradient_automatic(loss, theta.data(), g.data());
  return g;
}

inline Noise drawn(Sampling sampling, double redraw = 0) {
  Noise noise;
  noise.sampling = sampling;
  noise.redraw = redraw;
  return noise;
}

/// Algorithms on common ground: batch B over K workers.
inline discrete::Algorithm algorithm(const discrete::AlgorithmType& type, int workers, int batch, int H = 1) {
  discrete::Algorithm a{.type = &type, .workers = workers, .batch = batch, .seed = 5};
  a.rate.eta = 0.05;
  a.sync.H = H;
  return a;
}

inline std::vector<double> in_lanes(const std::vector<double>& x, int size) {
  std::vector<double> state(static_cast<std::size_t>(size * kLanes), 0.0);
  for (std::size_t k = 0; k < x.size(); ++k)
    for (std::size_t l = 0; l < kLanes; ++l) state[k * kLanes + l] = x[k];
  return state;
}
inline std::vector<double> of_lane(const std::vector<double>& state, int d, int lane) {
  std::vector<double> x;
  for (int k = 0; k < d; ++k) x.push_back(state[static_cast<std::size_t>(k * kLanes + lane)]);
  return x;
}

/// The batches of one worker of a path, step after step.
class WorkerBatches {
 public:
  WorkerBatches(const network::Perceptron& loss, const Noise& noise, const random::StreamKey& key, int batch,
                std::int64_t from = 0)
      : loss_(loss),
        noise_(noise),
        batch_(batch),
        draws_(loss.sample_count(), noise.sampling, {}),
        words_(key, random::Purpose::label, static_cast<std::uint64_t>(from * batch * 2)) {
    draws_.seek(key, static_cast<std::uint64_t>(from), batch);
  }

  /// Gradient at theta of the next step's batch.
  std::vector<double> gradient(const std::vector<double>& theta) {
    std::vector<int> picked, classes;
    for (int s = 0; s < batch_; ++s) {
      int one[1];
      draws_.pick(s, batch_, one);
      picked.push_back(one[0]);
      const int own = loss_.label(one[0]);
      int label = own;
      if (noise_.redraw > 0) {
        const bool redrawn = static_cast<double>(words_.next(0xffffffffu)) < noise_.redraw * 4294967296.0;
        const int other = static_cast<int>(words_.next(static_cast<std::uint32_t>(loss_.classes() - 1)));
        if (redrawn) label = other + (other >= own);
      }
      classes.push_back(label);
    }
    draws_.end_step();
    return gradient_of(with_samples(loss_, picked, classes), theta);
  }

 private:
  const network::Perceptron& loss_;
  const Noise noise_;
  const int batch_;
  discrete::SampleDraws<double, kDynamic, Solo> draws_;
  random::IndexStream<double> words_;
};

}  // namespace sde::test
