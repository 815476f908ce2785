// Simulations against the closed forms of theory.md section 7: the known value lies inside the 99.9% interval, whose
// half-width is at most 1% of it. Weak orders, retractions, reproducibility, lost paths.
#include <doctest/doctest.h>

#include "problems.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/make_model.hpp"

using namespace sde;
using namespace sde::test;

namespace {

/// The known value is inside the 99.9% interval, and the interval's half-width is at most 1% of it.
void meets(const MethodResult& r, const std::string& name, double known) {
  const auto& m = last(r, name);
  CAPTURE(name);
  CAPTURE(known);
  CAPTURE(m.mean);
  CAPTURE(m.standard_error());
  CHECK(std::abs(m.mean - known) <= kZ * m.standard_error());
  CHECK(kZ * m.standard_error() <= 0.01 * std::abs(known));
}

}  // namespace

TEST_CASE("hyperbola by the slow ODE: q(t) to 1e-6, for SGD, Local SGD and the QSR limit") {
  const double sigma2 = 0.8, B = 4, K = 4, alpha = 0.3, q0 = 9 - 1 / 9.0, T = 3;
  const Problem p = problem_of(loss::Hyperbola{}, label(sigma2), {3.0, 1 / 3.0});
  const Observation o = at({0, 1, T}, {"x1^2 - x2^2"}, 2);
  for (const auto kind : {Kind::slow_sgd, Kind::slow_local_sgd, Kind::slow_qsr}) {
    Method m = slow_method(kind, static_cast<int>(K), B, alpha, 0.01, 1);
    m.dynamics = &ensemble::slow_ode();
    const double q = last(ensemble::run(p, m, o, kTwoThreads), "x1^2 - x2^2").mean;
    // An independent integration of dq/dt = -(sigma^2/B) q (1 + (K-1) psi(2 alpha sqrt(q^2+4))) by classical RK4.
    double known = q0;
    const auto rate = [&](double x) {
      const double factor = kind == Kind::slow_sgd   ? 1
                            : kind == Kind::slow_qsr ? K
                                                     : 1 + (K - 1) * slow::psi(2 * alpha * std::sqrt(x * x + 4));
      return -sigma2 / B * x * factor;
    };
    const double h = T / 4000;
    for (int s = 0; s < 4000; ++s) {
      const double a = rate(known), b = rate(known + h / 2 * a), c = rate(known + h / 2 * b), d = rate(known + h * c);
      known += h / 6 * (a + 2 * b + 2 * c + d);
    }
    if (kind == Kind::slow_sgd) CHECK(known == doctest::Approx(q0 * std::exp(-sigma2 * T / B)).epsilon(1e-9));
    CHECK(std::abs(q - known) < 1e-6);
  }
}

TEST_CASE("chain: differences w_i^2 - w_j^2 shrink and sharpness falls towards its least value, all |w_i| = 1") {
  const Problem p = problem_of(loss::Chain{3}, label(1), {2.0, 1.0, 0.5});
  Method m = slow_method(Kind::slow_local_sgd, 8, 8, 1.0, 0.01, 1);
  m.dynamics = &ensemble::slow_ode();
  const auto r = ensemble::run(p, m, at({0, 5, 30}, {"x1", "x2", "x3"}, 3), kTwoThreads);
  for (const char* x : {"x1", "x2", "x3"}) CHECK(last(r, x).mean == doctest::Approx(1).epsilon(1e-6));
  CHECK(last(r, "trace_hessian").mean == doctest::Approx(3).epsilon(1e-6));
}

TEST_CASE("valley: stationary law h^(-c sv^2/(2 su^2)), Kolmogorov-Smirnov at 99.9%, c = 1 for SGD and K for QSR") {
  const double su = 0.7, sv = 1.4;
  const int K = 2;
  const Problem p = problem_of(loss::Valley{}, constant({su, 0, 0, sv}, 2), {0.5, 0.0});
  for (const auto kind : {Kind::slow_sgd, Kind::slow_qsr}) {
    const double c = kind == Kind::slow_sgd ? 1 : K;
    const double power = c * sv * sv / (2 * su * su);
    const auto r = ensemble::run(p, slow_method(kind, K, 1.0 * K, 1, 0.01, MethodResult::kQuantilePaths),
                                 at({0, 20.0 * K}, {"x1"}, 2), kTwoThreads);
    // The law's distribution function by the midpoint rule on u = tan(s).
    auto sample = r.samples.back()[5];
    REQUIRE(r.observables[5] == "x1");
    REQUIRE(sample.size() == static_cast<std::size_t>(MethodResult::kQuantilePaths));
    std::sort(sample.begin(), sample.end());
    const int cells = 20000;
    std::vector<double> u, F{0};
    for (int i = 0; i < cells; ++i) {
      const double s = M_PI * ((i + 0.5) / cells - 0.5);
      u.push_back(std::tan(s + 0.5 * M_PI / cells));
      F.push_back(F.back() + std::pow(std::cos(s), 2 * power - 2));
    }
    double worst = 0;
    const auto n = static_cast<double>(sample.size());
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const auto cell = static_cast<std::size_t>(std::lower_bound(u.begin(), u.end(), sample[i]) - u.begin());
      const double law = F[std::min(cell, u.size() - 1) + 1] / F.back();
      worst =
          std::max({worst, std::abs(law - static_cast<double>(i) / n), std::abs(law - static_cast<double>(i + 1) / n)});
    }
    CAPTURE(c);
    CHECK(worst < 1.9495 / std::sqrt(n));  // 99.9% point of Kolmogorov's law
  }
}

TEST_CASE("sphere: degree-1 and degree-2 harmonics decay with rates (d-1) sigma^2/(2B) and d sigma^2/B") {
  const int d = 3;
  const double s = 0.9, B = 2, T = 0.5;
  std::vector<double> factor(9, 0.0);
  for (int k = 0; k < d; ++k) factor[k * d + k] = s;
  const Problem p = problem_of(loss::Sphere{d}, constant(factor, d), {1, 0, 0});
  for (const auto kind : {Kind::slow_sgd, Kind::slow_local_sgd}) {
    const auto r = ensemble::run(p, slow_method(kind, 2, B, 0.5, T / 400, 200'000),
                                 at({0, T}, {"x1", "x1^2 - 0.33333333333333333"}, d), kTwoThreads);
    meets(r, "x1", std::exp(-(d - 1) * s * s * T / (2 * B)));
    meets(r, "x1^2 - 0.33333333333333333", 2.0 / 3 * std::exp(-d * s * s * T / B));
  }
}

TEST_CASE("ring: stationary angle law with flux, by quadrature, for a correlated Sigma") {
  const double a = 0.5, B = 4, alpha = 0.3;
  const int K = 4;
  const Eigen::Matrix2d A = (Eigen::Matrix2d() << 1.5, 0.4, -0.3, 1.1).finished();
  const Eigen::Matrix2d sigma = A * A.transpose();
  const Problem p = problem_of(loss::Ring{a}, constant({A(0, 0), A(1, 0), A(0, 1), A(1, 1)}, 2), {0, 1});
  const int cells = 4000;
  std::vector<double> V(2 * cells + 1, 0.0), inverse(cells), phi(cells);
  for (int i = 0; i < 2 * cells; ++i) {
    const double x = 2 * M_PI * (i + 0.5) / cells;
    const Eigen::Vector2d n(std::cos(x), std::sin(x)), t(-n[1], n[0]);
    const double c = 1 + a * n[0], ct = -a * n[1];
    const double s2 = t.dot(sigma * t) / B;
    const double drift = -(t.dot(sigma * n) * (1 + (K - 1) * slow::psi(4 * alpha * c)) +
                           ct * n.dot(sigma * n) / (4 * c) * (1 + (K - 1) * slow::psi(8 * alpha * c))) /
                         B;
    V[i + 1] = V[i] + 2 * drift / s2 * (2 * M_PI / cells);
    if (i < cells) {
      inverse[i] = 1 / s2;
      phi[i] = x;
    }
  }
  // g = s^2 p solves g' = (2b/s^2) g - 2J: g(phi) = e^V(phi) * integral of e^-V over one turn from phi.
  std::vector<double> prefix(2 * cells + 1, 0.0);
  for (int i = 0; i < 2 * cells; ++i) prefix[i + 1] = prefix[i] + std::exp(-0.5 * (V[i] + V[i + 1]));
  double mass = 0, m11 = 0;
  std::vector<double> below(cells + 1, 0.0);  // distribution function, not normalized
  for (int i = 0; i < cells; ++i) {
    const double middle = 0.5 * (V[i] + V[i + 1]);
    const double turn = 0.5 * (prefix[i + cells] - prefix[i] + prefix[i + 1 + cells] - prefix[i + 1]);
    const double w = inverse[i] * std::exp(middle) * turn;
    mass += w;
    m11 += w * std::cos(phi[i]) * std::cos(phi[i]);
    below[i + 1] = mass;
  }
  const auto r = ensemble::run(p, slow_method(Kind::slow_local_sgd, K, B, alpha, 0.01, 80'000),
                               at({0, 40}, {"x1^2", "x1", "x2"}, 2), kTwoThreads);
  meets(r, "x1^2", m11 / mass);
  // The angles themselves, of the paths that are kept: Kolmogorov-Smirnov at 99.9%.
  const auto place = [&](const std::string& name) {
    return static_cast<std::size_t>(std::find(r.observables.begin(), r.observables.end(), name) -
                                    r.observables.begin());
  };
  const auto &x = r.samples.back()[place("x1")], &y = r.samples.back()[place("x2")];
  std::vector<double> law;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double turn = std::atan2(y[k], x[k]) / (2 * M_PI), cell = (turn < 0 ? turn + 1 : turn) * cells;
    const int c = std::min(cells - 1, static_cast<int>(cell));
    law.push_back((below[c] + (cell - c) * (below[c + 1] - below[c])) / mass);
  }
  std::sort(law.begin(), law.end());
  double distance = 0;
  const double n = static_cast<double>(law.size());
  for (std::size_t k = 0; k < law.size(); ++k)
    distance = std::max({distance, law[k] - static_cast<double>(k) / n, static_cast<double>(k + 1) / n - law[k]});
  CHECK(n > 2000);
  CHECK(distance * std::sqrt(n) < 1.95);  // 99.9% quantile of Kolmogorov's law
}

TEST_CASE("controls: on flat and sphere losses Local SGD equals SGD; flat has no drift at all") {
  Noise noise = constant(loss::normal_data(8, 1, 16), 4);
  const Problem flat = problem_of(loss::Flat(2, 4, 3), noise, {0.1, 0.2, -0.3, 0.4});
  const auto terms = flat.terms();
  terms->compute(flat.start_on_gamma.data());
  const slow::Parameters q{.batch = 4, .workers = 4, .alpha = 1};
  CHECK(terms->contraction(slow::Term::drift, q).norm() < 1e-13);
  CHECK(terms->ito_normal(4).norm() < 1e-13);
  std::vector<double> isotropic(9, 0.0);
  for (int k = 0; k < 3; ++k) isotropic[k * 4] = 0.8;
  const Problem sphere = problem_of(loss::Sphere{3}, constant(isotropic, 3), {1, 0, 0});
  for (const auto* p : {&flat, &sphere}) {
    Method sgd;
    sgd.paths = 8192;
    sgd.algorithm = {.workers = 1, .batch = 4, .seed = 5};
    sgd.algorithm.rate.eta = 0.02;
    Method local = sgd;
    set(local, Kind::local_sgd);
    local.algorithm.workers = 4;
    local.algorithm.sync.H = 25;
    local.algorithm.seed = 6;
    const Observation o = at({0, 0.3}, {"x1", "x2", "x1^2"}, p->model->dim());
    const auto a = ensemble::run(*p, sgd, o, kTwoThreads), b = ensemble::run(*p, local, o, kTwoThreads);
    for (const char* name : {"x1", "x2", "x1^2"}) {
      const auto &x = last(a, name), &y = last(b, name);
      CAPTURE(name);
      // Equal within a tenth of a standard deviation, at 99.9% (equivalence: the whole interval inside).
      const double difference = x.mean - y.mean, error = std::hypot(x.standard_error(), y.standard_error());
      CHECK(std::abs(difference) + kZ * error < 0.1 * std::sqrt(x.variance()));
      if (p == &flat && name[2] == 0)
        CHECK(std::abs(x.mean - p->start_on_gamma[name[1] - '1']) < 5 * x.standard_error());
    }
  }
}

TEST_CASE("flat: the algorithm's variance along Gamma is Sigma_par t/B") {
  const Problem p = problem_of(loss::Flat(2, 4, 3), constant(loss::normal_data(8, 1, 16), 4), {0, 0, 0, 0});
  Method m;
  set(m, Kind::local_sgd);
  m.algorithm = {.workers = 4, .batch = 4, .seed = 9};
  m.algorithm.rate.eta = 0.02;
  m.algorithm.sync.H = 25;
  m.paths = 262'144;
  const auto r = ensemble::run(p, m, at({0, 0.1}, {"x1^2"}, 4), kTwoThreads);
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  const double known = std::pow(p.start_on_gamma[0], 2) +
                       terms->tangent_noise().row(0).squaredNorm() * r.slow_time.back() / m.algorithm.batch;
  meets(r, "x1^2", known);
}

TEST_CASE("discrete Local SGD follows the refined slow ODE, and not SGD's") {
  const Problem p = problem_of(loss::Hyperbola{}, label(1), {2.5, 0.4});
  Method local;
  set(local, Kind::local_sgd);
  local.paths = 512;
  local.algorithm = {.workers = 8, .batch = 8, .seed = 3};
  local.algorithm.rate.eta = 0.005;
  local.algorithm.rate.fit_steps(1);
  local.algorithm.sync.H = 10;
  const Observation o = at({0, 1}, {"x1^2 - x2^2"}, 2);
  const auto discrete = last(ensemble::run(p, local, o, kTwoThreads), "x1^2 - x2^2");
  Method ode = local;
  set(ode, Kind::slow_local_sgd);
  ode.dynamics = &ensemble::slow_ode();
  ode.refined = true;
  ode.paths = 1;
  const double refined = last(ensemble::run(p, ode, o, kTwoThreads), "x1^2 - x2^2").mean;
  ode.refined = false;
  const double limit = last(ensemble::run(p, ode, o, kTwoThreads), "x1^2 - x2^2").mean;
  ode.algorithm.type = &sde::discrete::sgd;
  ode.algorithm.workers = 1;
  const double sgd = last(ensemble::run(p, ode, o, kTwoThreads), "x1^2 - x2^2").mean;
  const double error = discrete.standard_error();
  CHECK(std::abs(discrete.mean - refined) < 0.01 * refined + 5 * error);
  CHECK(std::abs(discrete.mean - limit) < 0.03 * limit + 5 * error);
  CHECK(std::abs(discrete.mean - limit) > std::abs(discrete.mean - refined));
  CHECK(std::abs(discrete.mean - sgd) > 50 * error);  // the control: SGD's prediction is rejected
}

TEST_CASE("H = 1 is SGD in law, and alpha to infinity the QSR limit of the slow SDE") {
  const Problem p = problem_of(loss::Hyperbola{}, label(1), {2.5, 0.4});
  Method sgd;
  sgd.paths = 2048;
  sgd.algorithm = {.workers = 1, .batch = 4, .seed = 3};
  sgd.algorithm.rate.eta = 0.02;
  Method one = sgd;
  set(one, Kind::local_sgd);
  one.algorithm.workers = 4;
  one.algorithm.sync.H = 1;
  one.algorithm.seed = 4;
  const Observation o = at({0, 1}, {}, 2);
  const auto &a = last(ensemble::run(p, sgd, o, kTwoThreads), "trace_hessian"),
             b = last(ensemble::run(p, one, o, kTwoThreads), "trace_hessian");
  CHECK(std::abs(a.mean - b.mean) < 5 * std::hypot(a.standard_error(), b.standard_error()));
  const slow::Parameters far{.batch = 4, .workers = 4, .alpha = 1e6},
      limit{.batch = 4, .workers = 4, .alpha = INFINITY}, none{.batch = 4};
  const auto terms = p.terms();
  terms->compute(p.start_on_gamma.data());
  const Vector drift = terms->contraction(slow::Term::drift, limit);
  CHECK((terms->contraction(slow::Term::drift, far) - drift).norm() < 1e-6 * drift.norm());
  CHECK((4 * terms->contraction(slow::Term::drift, none) - drift).norm() < 1e-12 * drift.norm());
}

TEST_CASE("conventional SDE and coupled slow SDEs: the same sharpness as what they describe") {
  const Problem p = problem_of(loss::Hyperbola{}, label(1), {2.5, 0.4});
  Method local;
  set(local, Kind::local_sgd);
  local.paths = 512;
  local.algorithm = {.workers = 4, .batch = 4, .seed = 3};
  local.algorithm.rate.eta = 0.01;
  local.algorithm.rate.fit_steps(1);
  local.algorithm.sync.H = 200;
  Method sde = local;
  set(sde, Kind::conventional_local_sgd);
  sde.substeps = 2;
  Method weak = sde;  // the same expectation from two-point increments
  weak.integrator = slow::Integrator::weak_euler;
  Method coupled = local;
  set(coupled, Kind::coupled_slow);
  coupled.dt = 0.002;
  const Observation o = at({0, 1}, {}, 2);
  const auto a = last(ensemble::run(p, local, o, kTwoThreads), "trace_hessian"),
             b = last(ensemble::run(p, sde, o, kTwoThreads), "trace_hessian"),
             c = last(ensemble::run(p, coupled, o, kTwoThreads), "trace_hessian"),
             w = last(ensemble::run(p, weak, o, kTwoThreads), "trace_hessian");
  CHECK(std::abs(w.mean - b.mean) < 0.001 * b.mean + 5 * std::hypot(w.standard_error(), b.standard_error()));
  CHECK(w.mean != b.mean);
  CHECK(std::abs(a.mean - b.mean) < 0.02 * a.mean + 5 * std::hypot(a.standard_error(), b.standard_error()));
  CHECK(std::abs(a.mean - c.mean) < 0.02 * a.mean + 5 * std::hypot(a.standard_error(), c.standard_error()));
}

namespace {
/// Least-squares slope of log error against log dt, with its standard error from those of the points.
std::pair<double, double> order(const std::vector<double>& dt, const std::vector<double>& error,
                                const std::vector<double>& se) {
  double sw = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < dt.size(); ++i) {
    const double w = std::pow(error[i] / se[i], 2), x = std::log(dt[i]), y = std::log(std::abs(error[i]));
    sw += w, sx += w * x, sy += w * y, sxx += w * x * x, sxy += w * x * y;
  }
  const double det = sw * sxx - sx * sx;
  return {(sw * sxy - sx * sy) / det, std::sqrt(sw / det)};
}
}  // namespace

TEST_CASE("weak order 1 of both integrators on the manifold") {
  // d = 10: the error, 22.5 dt t E (Euler-Maruyama), is large against the noise while |increment|^2 = 9 dt stays small.
  const int d = 10;
  const double T = 0.224;
  std::vector<double> factor(d * d, 0.0), start(d, 0.0);
  for (int k = 0; k < d; ++k) factor[k * d + k] = 1;
  start[0] = 1;
  const Problem p = problem_of(loss::Sphere{d}, constant(factor, d), start);
  const double known = std::exp(-(d - 1) * T / 2);
  for (const auto integrator : {slow::Integrator::euler_maruyama, slow::Integrator::weak_euler}) {
    std::vector<double> dts, errors, ses;
    for (const double dt : {0.016, 0.008, 0.004}) {
      Method m = slow_method(Kind::slow_sgd, 1, 1, 0, dt, 400'000);
      m.integrator = integrator;
      const auto r = ensemble::run(p, m, at({0, T}, {"x1"}, d), kTwoThreads);
      dts.push_back(dt);
      errors.push_back(last(r, "x1").mean - known);
      ses.push_back(last(r, "x1").standard_error());
    }
    const auto [slope, se] = order(dts, errors, ses);
    MESSAGE(std::string(integrator == slow::Integrator::weak_euler ? "weak Euler" : "Euler-Maruyama")
            << ": weak order " << slope << " +- " << 1.96 * se);
    CHECK(std::abs(slope - 1) < 0.15);
  }
}

TEST_CASE("the Newton retraction agrees with Phi to second order on tangent vectors: the difference is third order") {
  test::for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(name);
    const auto model = model_of(l);
    const int d = model->dim();
    manifold::FlowMap flow(*model);
    Vector p = Eigen::Map<const Vector>(start.data(), d);
    flow(p.data());
    using L = std::remove_cvref_t<decltype(l)>;
    slow::ResidualGeometry<L, double> geometry(l, NoiseView<double>{});
    geometry.compute(p.data());
    Vector u = Eigen::Map<const Vector>(loss::normal_data(3, 9, d).data(), d);
    geometry.project(u.data());
    u /= u.norm();
    const auto gap = [&](double s) {
      Vector a = p + s * u, b = a;
      geometry.retract(a.data());
      flow(b.data());
      return (a - b).norm();
    };
    const double far = gap(0.04), near = gap(0.02);
    if (far > 1e-9) CHECK(std::log2(far / near) > 2.7);  // third order; exact agreement on flat and sphere-like losses
  });
}
