// Slow SDEs in the coordinates of curves.py, block by block: a loop draws the block's normals, a second one steps,
// which the compiler turns into vector code with vector elementary functions.
#pragma once

#include <algorithm>
#include <cmath>

#include "sample.hpp"

constexpr double kS00 = kFactor[0][0] * kFactor[0][0] + kFactor[0][1] * kFactor[0][1];
constexpr double kS01 = kFactor[0][0] * kFactor[1][0] + kFactor[0][1] * kFactor[1][1];
constexpr double kS11 = kFactor[1][0] * kFactor[1][0] + kFactor[1][1] * kFactor[1][1];

inline double psi(double x) { return (std::exp(-x) - 1 + x) / x; }
/// 1 + (K-1) psi(x)
inline double bracket(double x) { return 1 + (kWorkers - 1) * psi(x); }

struct Step {
  double drift, variance;
};

struct RingAngle {
  static constexpr double start = 1.57079632679489661923;
  static Step at(double phi) {
    // Sine and cosine of one argument would become one call, which has no vector form.
    const double co = std::cos(phi), si = std::cos(phi - start), c = 1 + kA * co, ct = -kA * si;
    const double tt = kS00 * si * si - 2 * kS01 * si * co + kS11 * co * co;
    const double nn = kS00 * co * co + 2 * kS01 * si * co + kS11 * si * si;
    const double tn = (kS11 - kS00) * si * co + kS01 * (co * co - si * si);
    return {-(tn * bracket(4 * kAlpha * c) + ct * nn / (4 * c) * bracket(8 * kAlpha * c)) / kBatch, tt / kBatch};
  }
  static double observe(double phi) { return std::sin(phi); }
};

struct ValleyU {
  static constexpr double start = 0.8;
  static Step at(double u) {
    const double h = 1 + u * u;
    return {-1.4 * 1.4 * u / (2 * kBatch * h) * bracket(2 * kAlpha * h), 0.5 * 0.5 / kBatch};
  }
  static double observe(double u) { return u; }
};

struct HyperbolaLog {
  static constexpr double start = 0.69314718055994530942;
  static Step at(double s) {
    const double x = std::exp(s), y = 1 / x, xx = x * x, yy = y * y, lam = xx + yy, q = xx - yy;
    const double tt = (kS00 * xx - 2 * kS01 + kS11 * yy) / lam;
    const double nn = (kS00 * yy + 2 * kS01 + kS11 * xx) / lam + lam;
    const double tn = (kS00 - kS11 + kS01 * q) / lam;
    const double sum = 0.5 * q * nn * bracket(2 * kAlpha * lam) - 2 * tn * bracket(kAlpha * lam) + 0.5 * q * tt;
    return {-sum / (kBatch * lam * lam), tt / (kBatch * lam)};
  }
  static double observe(double s) { return std::exp(s); }
};

template <class Curve>
Sum slow_curve(const Share& share) {
  constexpr int kBlock = 1024;
  Normals normal(share.seed);
  Sum sum;
  double x[kBlock], z[kBlock];
  for (long done = 0; done < share.count; done += kBlock) {
    std::fill(x, x + kBlock, Curve::start);
    for (int s = 0; s < kSlowSteps; ++s) {
      for (double& value : z) value = normal();
      for (int p = 0; p < kBlock; ++p) {
        const Step step = Curve::at(x[p]);
        x[p] += step.drift * kDt + std::sqrt(step.variance * kDt) * z[p];
      }
    }
    for (const double end : x) sum.add(Curve::observe(end));
  }
  return sum;
}

inline Sum slow_sphere(const Share& share) {
  constexpr int d = 10;
  const double step = 0.5 * std::sqrt(kDt / kBatch);
  Normals normal(share.seed);
  Sum sum;
  for (long p = 0; p < share.count; ++p) {
    double x[d] = {1};
    for (int s = 0; s < kSlowSteps; ++s) {
      double square = 0;
      for (double& v : x) {
        v += step * normal();
        square += v * v;
      }
      const double inverse = 1 / std::sqrt(square);
      for (double& v : x) v *= inverse;
    }
    sum.add(x[0]);
  }
  return sum;
}
