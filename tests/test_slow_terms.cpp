// The slow-SDE terms: residual path against dense path, both against numerical second derivatives of Phi, closed forms.
#include <doctest/doctest.h>

#include <limits>

#include "all_losses.hpp"
#include "sde/manifold/second_derivative.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/model/make_model.hpp"

using namespace sde;
using slow::Matrix;
using slow::Term;
using slow::Vector;

namespace {

/// Full-rank correlated constant noise from a seed.
Noise correlated(int d, std::uint64_t seed) {
  Noise noise;
  noise.rank = d;
  noise.factor = loss::normal_data(seed, 50, d * d);
  return noise;
}

}  // namespace

TEST_CASE("identity of section 3: 1/2 d2Phi[Sigma] = -1/2 P D3L[Sigma_hat] - 1/2 pinv(H) D3L[Sigma_par]") {
  test::for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = model_of(l);
    const int d = model->dim();
    manifold::FlowMap flow(*model);
    Vector p = Eigen::Map<const Vector>(start.data(), d);
    flow(p.data());
    for (const std::uint64_t seed : {1, 2}) {
      const Noise noise = correlated(d, seed);
      Vector measured = Vector::Zero(d);
      for (int s = 0; s < d; ++s)
        measured += 0.5 * manifold::second_derivative(flow, p, Eigen::Map<const Vector>(&noise.factor[s * d], d)).value;
      const auto residual = model->residual_terms(noise);
      slow::DenseGeometry dense(*model, noise);
      for (slow::PointTerms* terms : {residual.get(), static_cast<slow::PointTerms*>(&dense)}) {
        terms->compute(p.data());
        const slow::Parameters one{.batch = 1};
        const Vector predicted = terms->contraction(Term::drift_1, one) + terms->ito_normal(1);
        const double scale = std::max(predicted.norm(), 1e-3);
        CHECK((measured - predicted).norm() / scale < 1e-5);
      }
    }
  });
}

TEST_CASE("one residual: the pass of HypersurfaceGeometry moves and retracts as the general formulas do") {
  test::for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    using L = std::remove_cvref_t<decltype(l)>;
    if constexpr (residuals_of<L> == 1) {
      CAPTURE(std::string(name));
      const auto model = model_of(l);
      const int d = model->dim();
      Vector p = Eigen::Map<const Vector>(start.data(), d);
      manifold::FlowMap{*model}(p.data());
      Noise noise = correlated(d, 3);
      noise.sigma2 = 0.3;
      noise.state_rank = 1;
      noise.state = loss::normal_data(4, 51, (d + 1) * d);
      slow::HypersurfaceGeometry<L, double> one(l, noise.view());
      slow::ResidualGeometry<L, double> general(l, noise.view());
      for (const slow::Parameters& parameters :
           {slow::Parameters{.batch = 8, .workers = 4, .alpha = 0.4}, slow::Parameters{.batch = 2, .workers = 1},
            slow::Parameters{.batch = 8, .workers = 4, .alpha = std::numeric_limits<double>::infinity()},
            slow::Parameters{.batch = 8, .workers = 4, .alpha = 0.4, .eta = 0.02, .H = 20}}) {
        Vector x = p, y = p, move_x(d), move_y(d);
        int drawn_x = 0, drawn_y = 0;
        bool lost = false;
        const auto draw = [](int& drawn) { return std::sin(1.0 + drawn++); };
        slow::step(
            one, x.data(), move_x.data(), parameters, 1e-3, [&] { return draw(drawn_x); }, true, lost);
        slow::step(
            general, y.data(), move_y.data(), parameters, 1e-3, [&] { return draw(drawn_y); }, true, lost);
        CHECK(!lost);
        CHECK((move_x - move_y).norm() < 1e-13);
        CHECK((x - y).norm() < 1e-13);  // in closed form against the iteration
        CHECK((x - p).norm() > 1e-4);
        Vector a = Vector::Zero(d), b = Vector::Zero(d);
        one.diffuse(
            0.3, [&] { return draw(drawn_x); }, a.data());
        general.diffuse(
            0.3, [&] { return draw(drawn_y); }, b.data());
        CHECK((a - b).norm() < 1e-13);
      }
      // Far beyond where the normal meets Gamma, a path is lost and not invented.
      if (std::string(name) == "ring" || std::string(name) == "sphere, d = 5") {
        Vector far = p;
        far[0] += 3 * p[1];
        far[1] -= 3 * p[0];
        CHECK(one.retract(far.data()));
      }
    }
  });
}

TEST_CASE("a slow kernel's lanes are the scalar steps to the bit, and a lost lane is the one that is lost") {
  const loss::Ring ring{0.5};
  const Noise noise = correlated(2, 3);
  const auto model = model_of(ring);
  const auto kernel = model->residual_slow_kernel(noise);
  const slow::Parameters p{.batch = 8, .workers = 4, .alpha = 0.4};
  double x[2 * kLanes], xi[2 * kLanes], martingale[2 * kLanes];
  for (int l = 0; l < kLanes; ++l) {
    x[l] = std::cos(0.3 + l);
    x[kLanes + l] = std::sin(0.3 + l);
    xi[l] = l == 11 ? 1e4 : std::cos(2.0 * l);  // far beyond the circle
    xi[kLanes + l] = std::sin(5.0 * l);
  }
  const std::vector<double> start(x, x + 2 * kLanes);
  CHECK(kernel->step(x, p, 0.01, xi, martingale) == 1u << 11);
  for (int l = 0; l < kLanes; ++l) {
    slow::HypersurfaceGeometry<loss::Ring, double> one(ring, noise.view());
    double y[2] = {start[l], start[kLanes + l]}, move[2];
    bool lost = false;
    int drawn = 0;
    slow::step(
        one, y, move, p, 0.01, [&] { return xi[kLanes * drawn++ + l]; }, true, lost);
    CHECK(lost == (l == 11));
    if (lost) continue;
    CHECK(x[l] == y[0]);
    CHECK(x[kLanes + l] == y[1]);
    double part[2] = {0, 0};
    drawn = 0;
    one.diffuse(
        std::sqrt(0.01 / p.batch), [&] { return xi[kLanes * drawn++ + l]; }, part);
    CHECK(martingale[l] == part[0]);
    CHECK(martingale[kLanes + l] == part[1]);
  }
}

TEST_CASE("residual and dense paths agree on every term, for label, constant and state noise together") {
  test::for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = model_of(l);
    const int d = model->dim();
    Vector p = Eigen::Map<const Vector>(start.data(), d);
    manifold::FlowMap{*model}(p.data());
    Noise noise = correlated(d, 3);
    noise.sigma2 = 0.3;
    noise.sampling = Sampling::with_replacement;
    noise.state_rank = 2;
    noise.state = loss::normal_data(4, 51, (d + 1) * 2 * d);
    const auto residual = model->residual_terms(noise);
    slow::DenseGeometry dense(*model, noise);
    residual->compute(p.data());
    dense.compute(p.data());
    for (const double eta : {0.0, 0.01}) {
      const slow::Parameters q{.batch = 8, .workers = 4, .alpha = 0.3, .eta = eta, .H = 30};
      for (auto term : {Term::sigma_hat, Term::psi_hat, Term::drift_1, Term::drift_2, Term::drift}) {
        CHECK((residual->matrix(term, q) - dense.matrix(term, q)).norm() < 1e-9 * (1 + dense.matrix(term, q).norm()));
        const Vector a = residual->contraction(term, q), b = dense.contraction(term, q);
        CHECK((a - b).norm() < 1e-9 * (1 + b.norm()));
      }
      const Vector drift = dense.contraction(Term::drift, q);
      CHECK((dense.contraction(Term::drift_1, q) + dense.contraction(Term::drift_2, q) - drift).norm() <
            1e-12 * (1 + drift.norm()));
    }
    CHECK((residual->ito_normal(2) - dense.ito_normal(2)).norm() < 1e-9 * (1 + dense.ito_normal(2).norm()));
    CHECK((residual->gradient_of_trace() - dense.gradient_of_trace()).norm() <
          1e-9 * (1 + dense.gradient_of_trace().norm()));
    const Matrix A = residual->tangent_noise(), B = dense.tangent_noise();
    CHECK((A * A.transpose() - B * B.transpose()).norm() < 1e-9 * (1 + B.squaredNorm()));
  });
}

TEST_CASE("ring: drift with tangent-normal noise equals the closed form") {
  const double a = 0.5, phi = 1.1, B = 8, K = 4, alpha = 0.2;
  const loss::Ring ring{a};
  Noise noise;
  noise.rank = 2;
  noise.factor = {0.8, 0.3, -0.2, 0.5};
  const auto model = model_of(ring);
  const auto terms = model->residual_terms(noise);
  const double x[2] = {std::cos(phi), std::sin(phi)};
  terms->compute(x);
  const Eigen::Vector2d n(x[0], x[1]), t(-x[1], x[0]);
  const Eigen::Map<const Eigen::Matrix2d> A(noise.factor.data());
  const Eigen::Matrix2d sigma = A * A.transpose();
  const double c = 1 + a * std::cos(phi), ct = -a * std::sin(phi);
  const double stn = t.dot(sigma * n), snn = n.dot(sigma * n);
  const slow::Parameters p{.batch = B, .workers = static_cast<int>(K), .alpha = alpha};
  CHECK(t.dot(Eigen::Vector2d(terms->contraction(Term::drift_1, p))) ==
        doctest::Approx(-(stn + ct * snn / (4 * c)) / B).epsilon(1e-12));
  CHECK(t.dot(Eigen::Vector2d(terms->contraction(Term::drift_2, p))) ==
        doctest::Approx(-(K - 1) * (stn * slow::psi(4 * alpha * c) + ct * snn / (4 * c) * slow::psi(8 * alpha * c)) / B)
            .epsilon(1e-12));
  const Matrix columns = terms->tangent_noise();
  CHECK((columns * columns.transpose()).trace() == doctest::Approx(t.dot(sigma * t)).epsilon(1e-12));
}

TEST_CASE("label noise: drift-I is -sigma^2/(4B) grad_Gamma tr Hess; valley and hyperbola closed forms") {
  test::for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = model_of(l);
    Vector p = Eigen::Map<const Vector>(start.data(), model->dim());
    manifold::FlowMap{*model}(p.data());
    Noise noise;
    noise.sigma2 = 0.7;
    noise.sampling = Sampling::with_replacement;
    const auto terms = model->residual_terms(noise);
    terms->compute(p.data());
    const slow::Parameters q{.batch = 3};
    const Vector expected = -0.7 / 12 * terms->gradient_of_trace();
    CHECK((terms->contraction(Term::drift_1, q) - expected).norm() < 1e-12 * (1 + expected.norm()));
  });
  const double u = 0.8, su = 0.3, sv = 0.9, B = 4, K = 3, alpha = 0.25, h = 1 + u * u;
  Noise constant;
  constant.rank = 2;
  constant.factor = {su, 0, 0, sv};
  const auto valley = model_of(loss::Valley{});
  const auto terms = valley->residual_terms(constant);
  const double x[2] = {u, 0};
  terms->compute(x);
  const slow::Parameters p{.batch = B, .workers = static_cast<int>(K), .alpha = alpha};
  CHECK(terms->contraction(Term::drift, p)[0] ==
        doctest::Approx(-sv * sv * 2 * u / (4 * B * h) * (1 + (K - 1) * slow::psi(2 * alpha * h))).epsilon(1e-12));
  Noise label;
  label.sigma2 = 0.5;
  const auto hyperbola = model_of(loss::Hyperbola{});
  const auto ht = hyperbola->residual_terms(label);
  const double y[2] = {2.0, 0.5};
  ht->compute(y);
  const Vector drift = ht->contraction(Term::drift, p);
  const double q = 4 - 0.25, sharpness = std::sqrt(q * q + 4);
  CHECK(2 * (y[0] * drift[0] - y[1] * drift[1]) ==
        doctest::Approx(-0.5 / B * q * (1 + (K - 1) * slow::psi(2 * alpha * sharpness))).epsilon(1e-12));
  CHECK(ht->lambda_max() == doctest::Approx(sharpness).epsilon(1e-13));
}

TEST_CASE("label noise: Local SGD descends -sigma^2/(4B) (tr Hess + (K-1) tr F(2 alpha Hess)/(2 alpha)) along Gamma") {
  // theory.md section 4, F' = psi: F(x) = x - ln(x) - E1(x) - gamma, here by Simpson's rule on psi itself.
  const auto F = [](double x) {
    const int cells = 400;
    double sum = slow::psi(0.0) + slow::psi(x);
    for (int i = 1; i < cells; ++i) sum += (i % 2 ? 4 : 2) * slow::psi(x * i / cells);
    return sum * x / (3 * cells);
  };
  const double sigma2 = 0.7, alpha = 0.4;
  const int K = 5, B = 10;
  test::for_each_loss([&](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = model_of(l);
    const int d = model->dim();
    manifold::FlowMap flow(*model);
    Vector p = Eigen::Map<const Vector>(start.data(), d);
    flow(p.data());
    Noise noise;
    noise.sigma2 = sigma2;
    noise.sampling = Sampling::with_replacement;
    const auto terms = model->residual_terms(noise);
    const auto potential = [&](const Vector& x) {
      terms->compute(x.data());
      double sum = 0;
      for (const double lambda : terms->normal_eigenvalues())
        sum += lambda + (K - 1) * F(2 * alpha * lambda) / (2 * alpha);
      return -sigma2 / (4 * B) * sum;
    };
    terms->compute(p.data());
    const Vector drift = terms->contraction(Term::drift, {.batch = B, .workers = K, .alpha = alpha});
    Vector u = Eigen::Map<const Vector>(loss::normal_data(8, 3, d).data(), d);
    terms->project(u.data());
    const auto along = [&](double s) {
      Vector x = p + s * u;
      flow(x.data());
      return potential(x);
    };
    const double h = 1e-3;
    const double slope = (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h);
    CHECK(drift.dot(u) == doctest::Approx(slope).epsilon(1e-6).scale(0.01));
  });
}
