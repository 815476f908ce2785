// What every work here has: a sample's moments, its random numbers, and the numbers of works.py.
#pragma once

#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <vector>

constexpr int kWorkers = 8, kBatch = 8, kLength = 20, kRounds = 5, kSlowSteps = 64;  // K, B, H
constexpr double kEta = 0.01, kAlpha = 0.4, kDt = 0.005, kA = 0.5;
constexpr double kFactor[2][2] = {{0.5, -0.1}, {1.0, 0.6}};

struct Sum {
  double n = 0, mean = 0, m2 = 0;
  void add(double x) {
    ++n;
    const double d = x - mean;
    mean += d / n;
    m2 += d * (x - mean);
  }
};

/// Boost's normals (a ziggurat).
struct Normals {
  explicit Normals(unsigned seed) : rng(seed) {}
  double operator()() { return normal(rng); }
  boost::random::mt19937 rng;
  boost::random::normal_distribution<double> normal;
};

/// A network's data X[n][inputs] and y[n], and its start.
struct Arrays {
  std::vector<double> X, y, start;
  int n() const { return static_cast<int>(y.size()); }
  int inputs() const { return static_cast<int>(X.size() / y.size()); }
};

/// One thread's share of a work.
struct Share {
  long first, count;
  unsigned seed;
  const Arrays& arrays;
};
