// Local SGD: the ring and the hyperbola, and the networks, where a step draws one sample and perturbs its label.
#pragma once

#include <boost/random/uniform_int_distribution.hpp>
#include <cmath>

#include "sample.hpp"

inline Sum local_sgd_toy(const Share& share, bool ring) {
  Normals normal(share.seed);
  Sum sum;
  for (long p = 0; p < share.count; ++p) {
    double x = ring ? 0 : 2, y = ring ? 1 : 0.5;
    for (int r = 0; r < kRounds; ++r) {
      double sx = 0, sy = 0;
      for (int k = 0; k < kWorkers; ++k) {
        double u = x, v = y;
        for (int h = 0; h < kLength; ++h) {
          if (ring) {
            const double q = u * u + v * v - 1, c = 1 + kA * u, z0 = normal(), z1 = normal();
            const double gx = kA * 0.5 * q * q + 2 * c * q * u, gy = 2 * c * q * v;
            u -= kEta * (gx + kFactor[0][0] * z0 + kFactor[0][1] * z1);
            v -= kEta * (gy + kFactor[1][0] * z0 + kFactor[1][1] * z1);
          } else {
            const double e = kEta * (u * v - 1 + normal()), w = u;
            u -= e * v;
            v -= e * w;
          }
        }
        sx += u;
        sy += v;
      }
      x = sx / kWorkers;
      y = sy / kWorkers;
    }
    sum.add(ring ? y : x);
  }
  return sum;
}

/// f = <u*u - v*v, x>; P features.
struct Diagonal {
  static constexpr int P = 20, D = 2 * P, inputs = P;
  double output(const double* theta, const double* x) {
    double f = 0;
    for (int j = 0; j < P; ++j) f += (theta[j] * theta[j] - theta[P + j] * theta[P + j]) * x[j];
    return f;
  }
  /// theta -= e grad f, after output().
  void move(double* theta, const double* x, double e) {
    for (int j = 0; j < P; ++j) {
      theta[j] -= 2 * e * x[j] * theta[j];
      theta[P + j] += 2 * e * x[j] * theta[P + j];
    }
  }
};

/// f = sum_k a_k tanh(<w_k, x>)
struct Tanh {
  static constexpr int width = 10, inputs = 4, D = width * (inputs + 1);
  double t[width];
  double output(const double* theta, const double* x) {
    for (int k = 0; k < width; ++k) {
      t[k] = 0;
      for (int j = 0; j < inputs; ++j) t[k] += theta[width + k * inputs + j] * x[j];
    }
    // By exp, for which there is a vector function: the rounding near 0 is of the order of 1e-16.
    for (int k = 0; k < width; ++k) t[k] = 1 - 2 / (1 + std::exp(2 * t[k]));
    double f = 0;
    for (int k = 0; k < width; ++k) f += theta[k] * t[k];
    return f;
  }
  void move(double* theta, const double* x, double e) {
    for (int k = 0; k < width; ++k) {
      const double back = e * theta[k] * (1 - t[k] * t[k]);
      theta[k] -= e * t[k];
      for (int j = 0; j < inputs; ++j) theta[width + k * inputs + j] -= back * x[j];
    }
  }
};

/// The sample is of the loss at the end.
template <class Network>
Sum local_sgd_network(const Share& share) {
  constexpr int D = Network::D;
  const Arrays& data = share.arrays;
  const int n = data.n();
  Network network;
  Normals normal(share.seed);
  boost::random::uniform_int_distribution<int> any(0, n - 1);
  Sum sum;
  for (long p = 0; p < share.count; ++p) {
    double theta[D], total[D], worker[D];
    std::copy_n(data.start.begin(), D, theta);
    for (int r = 0; r < kRounds; ++r) {
      std::fill(total, total + D, 0.0);
      for (int k = 0; k < kWorkers; ++k) {
        std::copy_n(theta, D, worker);
        for (int h = 0; h < kLength; ++h) {
          const int i = any(normal.rng);
          const double* x = &data.X[static_cast<std::size_t>(i * Network::inputs)];
          network.move(worker, x, kEta * (network.output(worker, x) - data.y[static_cast<std::size_t>(i)] + normal()));
        }
        for (int j = 0; j < D; ++j) total[j] += worker[j];
      }
      for (int j = 0; j < D; ++j) theta[j] = total[j] / kWorkers;
    }
    double loss = 0;
    for (int i = 0; i < n; ++i) {
      const double f = network.output(theta, &data.X[static_cast<std::size_t>(i * Network::inputs)]);
      loss += std::pow(f - data.y[static_cast<std::size_t>(i)], 2);
    }
    sum.add(loss / (2 * n));
  }
  return sum;
}
