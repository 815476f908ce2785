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

TEST_CASE("no limit on Gamma is an error with the place") {
  const auto model = model_of(loss::Hyperbola{});
  double x[2] = {0, 0};
  CHECK_THROWS_AS(manifold::FlowMap{*model}(x), manifold::FlowError);
}
