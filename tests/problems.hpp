// What the simulation tests share: problems, noises, methods in a line each.
#pragma once

#include <cmath>

#include "all_losses.hpp"
#include "kinds.hpp"
#include "sde/ensemble/make_problem.hpp"

namespace sde::test {

using ensemble::Method;
using ensemble::MethodResult;
using ensemble::Observation;
using ensemble::Polynomial;
using ensemble::Problem;
using slow::Vector;

constexpr double kZ = 3.2905;  // 99.9%
inline const ensemble::Control kTwoThreads{.threads = 2};

template <class L>
Problem problem_of(L loss, Noise noise, std::vector<double> start) {
  return ensemble::make_problem(model_of(std::move(loss)), std::move(noise), start);
}

inline Noise label(double sigma2) {
  Noise n;
  n.sigma2 = sigma2;
  n.label_law = Law::two_point;
  return n;
}
inline Noise constant(std::vector<double> factor, int rank) {
  Noise n;
  n.factor = std::move(factor);
  n.rank = rank;
  return n;
}

inline Observation at(std::vector<double> times, std::vector<std::string> polynomials, int dim) {
  Observation o;
  o.times = std::move(times);
  for (const auto& text : polynomials) o.polynomials.push_back(Polynomial::parse(text, dim));
  return o;
}

inline stats::Moments last(const MethodResult& r, const std::string& name) {
  for (std::size_t q = 0; q < r.observables.size(); ++q)
    if (r.observables[q] == name) return r.values.back()[q];
  throw std::logic_error(name);
}

inline Method slow_method(const Kind& kind, int K, double B, double alpha, double dt, long paths) {
  Method m;
  set(m, kind);
  m.algorithm.workers = kind.type == &discrete::sgd ? 1 : K;
  m.algorithm.batch = static_cast<int>(B);
  m.algorithm.rate.eta = 0.001;
  m.algorithm.sync.H = std::max<long>(1, std::llround(alpha / 0.001));
  m.algorithm.seed = 12345;
  m.dt = dt;
  m.paths = paths;
  return m;
}

}  // namespace sde::test
