// Phi against closed forms and invariants; stiff problems; starts from which the flow has no limit on Gamma.
#include <doctest/doctest.h>

#include "all_losses.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/model/make_model.hpp"

using namespace sde;
using slow::Vector;

TEST_CASE("Phi ends on Gamma with |grad L| <= 1e-12 max(1, lambda_max), and is idempotent") {
  test::for_each_loss([](const char* name, const auto& l, const std::vector<double>& x) {
    CAPTURE(std::string(name));
    const auto model = model_of(l);
    manifold::FlowMap flow(*model);
    Vector p = Eigen::Map<const Vector>(x.data(), model->dim()), g(model->dim());
    flow(p.data());
    model->gradient(p.data(), g.data());
    slow::DenseGeometry dense(*model, Noise{});
    dense.compute(p.data());
    CHECK(g.norm() <= 1e-12 * std::max(1.0, dense.lambda_max()));
    const Vector once = p;
    flow(p.data());
    CHECK((p - once).norm() < 1e-12);
  });
}

TEST_CASE("invariants of the flow: hyperbola x^2 - y^2, sphere x/|x|, chain w_i^2 - w_j^2") {
  const auto hyperbola = model_of(loss::Hyperbola{});
  double p[2] = {2.0, 0.1};
  manifold::FlowMap{*hyperbola}(p);
  CHECK(p[0] * p[0] - p[1] * p[1] == doctest::Approx(3.99).epsilon(1e-11));
  const auto chain = model_of(loss::Chain{3});
  double w[3] = {1.3, 0.9, 0.4};
  manifold::FlowMap{*chain}(w);
  CHECK(w[0] * w[0] - w[2] * w[2] == doctest::Approx(1.69 - 0.16).epsilon(1e-11));
  CHECK(w[0] * w[0] - w[1] * w[1] == doctest::Approx(1.69 - 0.81).epsilon(1e-11));
  const auto sphere = model_of(loss::Sphere{3});
  double s[3] = {0.3, 0.4, 1.2};
  manifold::FlowMap{*sphere}(s);
  CHECK(s[2] == doctest::Approx(1.2 / 1.3).epsilon(1e-12));
}

TEST_CASE("in a metric: the invariants of x' = -S grad L, by all three ways to integrate it") {
  // S = diag(s): x^2/s1 - y^2/s2 on the hyperbola; log(u_i)/s_ui + log(v_i)/s_vi on the diagonal network, whose loss
  // depends on u_i^2 - v_i^2 alone.
  const auto hyperbola = model_of(loss::Hyperbola{});
  const Vector s = Eigen::Vector2d(0.5, 3);
  for (const auto minimum : {manifold::Minimum::interpolating, manifold::Minimum::least_squares}) {
    manifold::FlowMap flow(*hyperbola, {}, minimum);
    flow.set_metric(s.cwiseSqrt());
    double p[2] = {1.6, 0.9};
    flow(p);
    CHECK(p[0] * p[1] == doctest::Approx(1).epsilon(1e-11));
    CHECK(p[0] * p[0] / 0.5 - p[1] * p[1] / 3 == doctest::Approx(2.56 / 0.5 - 0.81 / 3).epsilon(1e-8));
  }
  const auto network = model_of(loss::DiagonalNetwork(3, 5, 1, 5));
  Vector x = Vector::LinSpaced(10, 0.5, 0.9), S = Vector::LinSpaced(10, 2, 0.5);
  const auto invariant = [&](const Vector& y, int i) { return std::log(y[i]) / S[i] + std::log(y[5 + i]) / S[5 + i]; };
  const Vector start = x;
  manifold::FlowMap flow(*network);
  flow.set_metric(S.cwiseSqrt());
  flow(x.data());
  CHECK((x - start).norm() > 0.1);
  Vector f(3);
  network->residuals(x.data(), f.data());
  CHECK(f.norm() < 1e-10);
  for (int i = 0; i < 5; ++i) CHECK(invariant(x, i) == doctest::Approx(invariant(start, i)).epsilon(1e-8));
  // Steps along the way matter: the plain flow ends elsewhere.
  Vector plain = start;
  manifold::FlowMap{*network}(plain.data());
  CHECK((plain - x).norm() > 1e-3);
}

namespace {
/// Quadratic with eigenvalues 0, 1, 1e6 in rotated axes plus curvature: Gamma is a curve.
struct Stiff {
  int dim() const { return 3; }
  template <class T>
  T value(const T* x) const {
    const T a = x[0] - 0.1 * x[2] * x[2], b = x[1] + 0.2 * x[0] * x[0] - x[2];
    return (a * a) * 0.5 + (b * b) * 0.5e6;
  }
};
/// The same as a squared loss.
struct StiffResiduals {
  int dim() const { return 3; }
  int residual_count() const { return 2; }
  template <class T>
  void residuals(const T* x, T* f) const {
    f[0] = (x[0] - 0.1 * x[2] * x[2]) * 1.4142135623730951;
    f[1] = (x[1] + 0.2 * x[0] * x[0] - x[2]) * 1414.2135623730951;
  }
};
/// Curved, with eigenvalues about 1 and `small`, as a squared loss and as a general one.
struct SmallResiduals {
  double small;
  int dim() const { return 3; }
  int residual_count() const { return 2; }
  template <class T>
  void residuals(const T* x, T* f) const {
    f[0] = (x[0] - 0.1 * x[2] * x[2]) * 1.4142135623730951;
    f[1] = (x[1] + 0.2 * x[0] * x[0] - x[2]) * std::sqrt(2 * small);
  }
};
struct Small {
  double small;
  int dim() const { return 3; }
  template <class T>
  T value(const T* x) const {
    T f[2];
    SmallResiduals{small}.residuals(x, f);
    return (f[0] * f[0] + f[1] * f[1]) * 0.25;
  }
};
/// Two equations for x y that contradict each other by 2 gap: Gamma is x y = 1, where residuals of +-gap stay.
struct Contradiction {
  double gap = 0.1;
  int dim() const { return 2; }
  int residual_count() const { return 2; }
  template <class T>
  void residuals(const T* x, T* f) const {
    f[0] = x[0] * x[1] - (1.0 + gap);
    f[1] = x[0] * x[1] - (1.0 - gap);
  }
};
/// The hyperbola as a general loss.
struct PlainHyperbola {
  int dim() const { return 2; }
  template <class T>
  T value(const T* x) const {
    const T f = x[0] * x[1] - 1.0;
    return f * f * 0.5;
  }
};
}  // namespace

TEST_CASE("eigenvalues 1 and 1e6: both forms of the loss reach the same point") {
  const auto a = make_model(Stiff{});
  const auto b = make_model(StiffResiduals{});
  Vector x(3), y, g(3);
  x << 0.5, 0.3, 0.8;
  y = x;
  manifold::FlowMap{*a}(x.data());
  manifold::FlowMap{*b}(y.data());
  a->gradient(x.data(), g.data());
  CHECK(g.norm() < 1e-12 * 2.1e6);
  CHECK((x - y).norm() < 1e-8);
}

TEST_CASE("flow in time and flow along the residual give the same Phi") {
  const auto a = make_model(PlainHyperbola{});
  const auto b = model_of(loss::Hyperbola{});
  double x[2] = {1.8, 0.9}, y[2] = {1.8, 0.9};
  manifold::FlowMap{*a}(x);
  manifold::FlowMap{*b}(y);
  CHECK(std::abs(x[0] - y[0]) < 1e-10);
  CHECK(std::abs(x[1] - y[1]) < 1e-10);
}

TEST_CASE(
    "diagonal network, n = p: each u_k v_k is kept and the data give u_k^2 - v_k^2, eigenvalues from 9e-4 to 11") {
  const loss::DiagonalNetwork network(20, 20, 3, 5);
  const auto model = model_of(network);
  const auto known = [&](const Vector& x) {
    Vector p(40);
    for (int k = 0; k < 20; ++k) {
      const double beta = network.target[static_cast<std::size_t>(k)], product = x[k] * x[20 + k];
      p[k] = std::sqrt(0.5 * (beta + std::hypot(beta, 2 * product)));
      p[20 + k] = product / p[k];
    }
    return p;
  };
  const Vector far = Vector::Constant(40, 0.6);  // at distance 1 from Gamma
  Vector on_gamma = far;
  manifold::FlowMap{*model}(on_gamma.data());
  CHECK((on_gamma - known(far)).cwiseAbs().maxCoeff() < 2e-12);
  manifold::FlowMap exact(*model), observing(*model, manifold::kObservationFlow);
  for (int i = 0; i < 8; ++i) {
    Vector x = on_gamma;
    for (int k = 0; k < 40; ++k) x[k] += 0.02 * std::sin(i + k);
    const Vector goal = known(x);
    Vector p = x, q = x;
    exact(p.data());
    observing(q.data());
    CHECK((p - goal).cwiseAbs().maxCoeff() < 2e-12);
    CHECK((q - goal).cwiseAbs().maxCoeff() < 5e-9);
  }
}

TEST_CASE("a minimum where residuals stay: found out, or an error where Gamma is known to interpolate") {
  const auto model = make_model(Contradiction{});
  const auto hyperbola = model_of(loss::Hyperbola{});
  double x[2] = {1.8, 0.9}, y[2] = {1.8, 0.9}, z[2] = {1.8, 0.9}, w[2] = {1.8, 0.9};
  manifold::FlowMap unknown(*model), known(*model, {}, manifold::Minimum::least_squares);
  CHECK(unknown.interpolating());
  unknown(x);
  CHECK(!unknown.interpolating());
  known(y);
  manifold::FlowMap{*hyperbola}(z);  // L is the hyperbola's but for a constant
  for (int k = 0; k < 2; ++k) {
    CHECK(std::abs(x[k] - z[k]) < 1e-10);
    CHECK(std::abs(y[k] - z[k]) < 1e-10);
  }
  manifold::FlowMap strict(*model, {}, manifold::Minimum::interpolating);
  CHECK_THROWS_WITH_AS(strict(w), doctest::Contains("a minimum where residuals up to 0.1 stay"), manifold::FlowError);
}

TEST_CASE(
    "an eigenvalue of 1e-10 of the largest is named as the cause where the flow does not end, one of 1e-8 is no "
    "error") {
  const auto at = [] { return std::vector<double>{0.5, 0.3, 0.8}; };
  const auto message = [&](const LossModel& m, manifold::Minimum minimum) -> std::string {
    auto x = at();
    try {
      manifold::FlowMap{m, {}, minimum}(x.data());
    } catch (const manifold::FlowError& e) {
      return e.what();
    }
    return "";
  };
  using enum manifold::Minimum;
  CHECK(message(*make_model(SmallResiduals{1e-8}), unknown).empty());
  CHECK(message(*make_model(Small{1e-8}), unknown).empty());
  // L = (a^2 + small b^2)/2 with |grad b|^2 about 2, of which a little is along grad a.
  const std::string cause =
      ": the cause is a small eigenvalue of the Hessian, 1.9e-10, chiefly along coordinate 2 of 3. It is 2e-10 of the "
      "largest; one "
      "below "
      "1e-09 counts as zero";
  const auto squared = make_model(SmallResiduals{1e-10});
  for (const auto& text : {message(*squared, unknown), message(*make_model(Small{1e-10}), unknown)}) {
    CHECK(text.find("with gradient norm 7.98e-11, expected at most 1.03e-12" + cause) != std::string::npos);
    CHECK(text.find("Scale the coordinate so that") != std::string::npos);
  }
  CHECK(message(*squared, interpolating)
            .find("stay: the cause is a small eigenvalue of the Hessian, 2e-10, chiefly along coordinate 2 of 3.") !=
        std::string::npos);  // of J^T J/n
  // No small eigenvalue is to blame for what keeps residuals.
  CHECK(message(*make_model(Contradiction{}), interpolating).find("the cause") == std::string::npos);
}

TEST_CASE("no limit on Gamma is an error with the place") {
  const auto model = model_of(loss::Hyperbola{});
  double x[2] = {0, 0};
  CHECK_THROWS_AS(manifold::FlowMap{*model}(x), manifold::FlowError);
  const auto message = [](const LossModel& m, std::vector<double> at, manifold::FlowOptions options) -> std::string {
    try {
      manifold::FlowMap{m, options}(at.data());
    } catch (const manifold::FlowError& e) {
      return e.what();
    }
    return "";
  };
  const auto network = model_of(loss::DiagonalNetwork(3, 4, 1, 5));
  const std::vector<double> start{1.0, 0.5, 0.4, 0.6, 0.3, 0.5, 0.6, 0.7};
  CHECK(
      message(*network, start, {.max_evaluations = 20}).find("does not converge: after 20 gradients it stands at (") !=
      std::string::npos);
  CHECK(message(*network, std::vector<double>(8), {}).find("no direction of positive curvature at (0, 0,") !=
        std::string::npos);
  const auto plain = make_model(PlainHyperbola{});
  CHECK(message(*plain, {NAN, 1}, {}).find("cannot start from a point that is not finite") != std::string::npos);
}
