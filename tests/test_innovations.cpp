// The noise's columns, named once: what an algorithm records of its draws is what its slow SDE takes for increments, on
// losses that keep residuals on Gamma, where label and sampling noise move the slow variable.
#include <doctest/doctest.h>

#include "keeping_residuals.hpp"
#include "problems.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/model/make_model.hpp"
#include "sde/verify/multilevel.hpp"

using namespace sde;
using namespace sde::test;

namespace {

template <class L>
Problem keeping_residuals(const L& loss, const Noise& noise, const std::vector<double>& start) {
  Problem p;
  p.model = make_model(loss);
  p.noise = noise;
  p.start = Eigen::Map<const Vector>(start.data(), static_cast<Eigen::Index>(start.size()));
  p.project_start();
  CHECK(!p.interpolating);
  return p;
}

/// All sources, each with its own columns.
Noise all_of(int d, Law law, Sampling sampling) {
  Noise noise;
  noise.sigma2 = 0.8;
  noise.label_law = law;
  noise.sampling = sampling;
  noise.rank = 2;
  noise.state_rank = 1;
  for (int i = 0; i < 2 * d; ++i) noise.factor.push_back(0.1 + 0.05 * i);
  for (int i = 0; i < (d + 1) * d; ++i) noise.state.push_back(0.1 - 0.03 * i);
  return noise;
}

verify::Pairing pairing_of(double eta, int B) {
  verify::Pairing p;
  p.algorithm = {.rate = {}, .sync = {}, .workers = 4, .batch = B, .seed = 7};
  p.algorithm.rate.eta = eta;
  p.algorithm.sync.H = 10;
  p.predictions = {verify::theory(p.algorithm)};
  p.times = {0.25, 0.5};
  p.paths = 512;
  return p;
}

/// The columns of a factor of Sigma at x as loss/innovations.hpp defines them.
slow::Matrix columns_at(const Problem& p, const double* x) {
  const int d = p.model->dim(), n = p.model->residual_count();
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> J(n, d);
  Vector f(n), mean(d);
  p.model->jacobian(x, J.data());
  p.model->residuals(x, f.data());
  p.model->gradient(x, mean.data());
  const auto all = all_innovations(p.noise, n);
  slow::Matrix A(d, all.count());
  for (int i = 0; i < all.sampling.count; ++i)
    A.col(all.sampling.first + i) = (f[i] * J.row(i).transpose() - mean) / std::sqrt(n);
  const double label = std::sqrt(p.noise.sigma2) / (all.sampling.count > 0 ? std::sqrt(n) : n);
  for (int i = 0; i < all.labels.count; ++i) A.col(all.labels.first + i) = label * J.row(i).transpose();
  for (int s = 0; s < p.noise.columns(); ++s)
    for (int k = 0; k < d; ++k) A(k, all.constant.first + s) = p.noise.view().entry(d, s, k, x);
  return A;
}

/// A step is x - eta (grad L + sum_i u_i (column i)/sqrt(b)), with the u_i recorded, and the same without recording.
void check_one_step(const Problem& p, int batch) {
  CAPTURE(batch);
  const int d = p.model->dim(), n = p.model->residual_count();
  const auto all = all_innovations(p.noise, n);
  discrete::Algorithm a{.rate = {}, .sync = {}, .workers = 1, .batch = batch, .seed = 5};
  a.rate.eta = 0.1;
  const auto lanes = static_cast<std::size_t>(d * kLanes);
  std::vector<double> x(lanes), alone(lanes), sums(static_cast<std::size_t>(all.count() * kLanes), 0.0);
  double spread[kLanes];
  for (std::size_t i = 0; i < lanes; ++i) x[i] = alone[i] = p.start[static_cast<Eigen::Index>(i) / kLanes];
  p.model->recording_kernel(p.noise, a, all)->advance(x.data(), 3, 0, 1, spread, sums.data());
  p.model->discrete_kernel(p.noise, a)->advance(alone.data(), 3, 0, 1, spread);
  CHECK(x == alone);
  const auto A = columns_at(p, p.start.data());
  Vector gradient(d);
  p.model->gradient(p.start.data(), gradient.data());
  for (int l = 0; l < kLanes; ++l) {
    Vector u(all.count()), end(d);
    for (int s = 0; s < all.count(); ++s) u[s] = sums[static_cast<std::size_t>(s * kLanes + l)];
    for (int k = 0; k < d; ++k) end[k] = x[static_cast<std::size_t>(k * kLanes + l)];
    const Vector expected = p.start - a.rate.eta * (gradient + A * u / std::sqrt(batch));
    CHECK((end - expected).norm() < 1e-12 * (1 + expected.norm()));
    CHECK(std::abs(u.segment(all.sampling.first, all.sampling.count).sum()) < 1e-12);
  }
}

}  // namespace

TEST_CASE("the recorded draws times their columns are the noise of a step, which recording does not change") {
  for (const auto law : {Law::gaussian, Law::two_point})
    for (const auto sampling : {Sampling::full, Sampling::with_replacement}) {
      CAPTURE(static_cast<int>(law));
      CAPTURE(static_cast<int>(sampling));
      const auto circle = keeping_residuals(OnACircle{}, all_of(2, law, sampling), {0.7, 0.2});
      for (const int batch : {1, 2, 5}) check_one_step(circle, batch);
      // Few of many residuals are drawn one by one: with additive noise, without it (steps in place), and looked up in
      // registers where they are few enough.
      for (const int n : {12, 70}) {
        auto noise = all_of(20, law, sampling);
        Problem network;
        network.model = make_model(loss::DiagonalNetwork(n, 10, 2, 5));
        network.start = Vector::LinSpaced(20, 0.2, 0.9);
        for (const bool additive : {true, false}) {
          if (!additive) {
            noise.rank = noise.state_rank = 0;
            noise.factor.clear();
            noise.state.clear();
          }
          network.noise = noise;
          for (const int batch : {1, 3, 9}) check_one_step(network, batch);
        }
      }
    }
}

TEST_CASE(
    "common noise where residuals stay on Gamma: labels and samples drive the slow SDE as they drove the algorithm") {
  for (const auto law : {Law::gaussian, Law::two_point})
    for (const auto sampling : {Sampling::full, Sampling::with_replacement})
      for (const int B : {4, 8}) {
        CAPTURE(static_cast<int>(law));
        CAPTURE(static_cast<int>(sampling));
        CAPTURE(B);
        const double eta = 0.01;
        auto noise = all_of(2, law, sampling);
        for (auto* small : {&noise.factor, &noise.state})
          for (double& entry : *small) entry *= 0.3;
        const auto p = keeping_residuals(OnACircle{}, noise, {0.7, 0});
        auto pairing = pairing_of(eta, B);
        pairing.functions = {verify::coordinate(0), verify::sharpness()};
        const auto r = verify::run_paired(p, pairing, kTwoThreads);
        CHECK(r.lost == 0);
        for (std::size_t q = 0; q < 2; ++q) {
          const auto &gap = r.gap[0][1][q], &alone = r.prediction[0][1][q];
          CAPTURE(pairing.functions[q].name);
          CHECK(gap.variance() < alone.variance() / 500);  // measured: 1/1500 to 1/13,000
          CHECK(std::abs(gap.mean) < 4 * gap.standard_error() + 0.03 * eta);
          CHECK(r.algorithm[1][q].variance() == doctest::Approx(alone.variance()).epsilon(0.02));
        }
      }
}

TEST_CASE("residuals of any sizes that stay on Gamma, with gradients normal to it") {
  for (const auto sampling : {Sampling::full, Sampling::with_replacement}) {
    const auto p = keeping_residuals(Offset{}, all_of(3, Law::gaussian, sampling), {1.3, 1.1, 1.3});
    const double eta = 0.005;
    auto pairing = pairing_of(eta, 8);
    pairing.paths = 64;
    pairing.functions = {verify::coordinate(0)};
    const auto r = verify::run_paired(p, pairing, kTwoThreads);
    const auto &gap = r.gap[0][1][0], &alone = r.prediction[0][1][0];
    CHECK(gap.variance() < alone.variance() / 500);
    CHECK(std::abs(gap.mean) < 4 * gap.standard_error() + 0.1 * eta);
  }
}

TEST_CASE("levels in the time step where labels and samples drive the slow SDE: the ensemble's mean") {
  const double T = 0.5;
  const auto p = keeping_residuals(OnACircle{}, all_of(2, Law::gaussian, Sampling::with_replacement), {0.7, 0});
  const slow::Parameters parameters{.batch = 4, .workers = 4, .alpha = 0.1};
  const auto h = verify::levels_in_dt(p, parameters, verify::coordinate(0), T, 4, 5, 3, kTwoThreads);
  const auto m = verify::multilevel(h, 4e-3);
  const auto r =
      ensemble::run(p, slow_method(Kind::slow_local_sgd, 4, 4, 0.1, T / 64, 4000), at({0, T}, {"x1"}, 2), kTwoThreads);
  const auto direct = r.at(1, "x1");
  CHECK(std::abs(m.mean - direct.mean) < 5 * std::hypot(m.standard_error, direct.standard_error()));
  const auto& finest = m.levels.back().fine;
  CHECK(finest.variance() == doctest::Approx(direct.variance()).epsilon(0.25));
  for (std::size_t l = 2; l < m.levels.size(); ++l)
    CHECK(m.levels[l].difference.variance() < m.levels[l - 1].difference.variance());
}

TEST_CASE("a pair whose columns differ is refused with both; so is Local SGD in reshuffled epochs") {
  const auto without =
      keeping_residuals(OnACircle{}, all_of(2, Law::gaussian, Sampling::without_replacement), {0.7, 0});
  auto pairing = pairing_of(0.01, 4);
  pairing.functions = {verify::coordinate(0)};
  CHECK_THROWS_WITH_AS(verify::run_paired(without, pairing, kTwoThreads), doctest::Contains("reshuffled epochs"),
                       InputError);
  const auto p = keeping_residuals(OnACircle{}, all_of(2, Law::gaussian, Sampling::with_replacement), {0.7, 0});
  const auto slow = slow::slow_kernel(*p.model, p.noise, p.interpolating);
  auto other = p.noise;
  other.sigma2 = 0;
  CHECK_THROWS_WITH_AS(p.model->recording_kernel(other, pairing.algorithm, slow->innovations()),
                       "common noise: the algorithm draws for the noise's columns 3 of sampling, 0 of labels, 2 "
                       "constant, 1 of state; the "
                       "slow SDE asks for 3 of sampling, 3 of labels, 2 constant, 1 of state",
                       std::invalid_argument);
  CHECK(slow->innovations() == all_innovations(p.noise, 3));
}
