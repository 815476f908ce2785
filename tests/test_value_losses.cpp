// Losses that are no square: the slow SDE's lanes against the dense path, which goes path by path through Eigen and
// nested duals.
#include <doctest/doctest.h>

#include <limits>

#include "problems.hpp"
#include "sde/core/jet.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/model/make_model.hpp"
#include "value_losses.hpp"

using namespace sde;
using slow::Matrix;
using slow::Term;
using slow::Vector;

namespace {

/// Correlated constant noise, and one column that depends on the state.
Noise additive(int d) {
  Noise noise;
  noise.rank = d;
  noise.factor = loss::normal_data(3, 50, d * d);
  noise.state_rank = 1;
  noise.state = loss::normal_data(4, 51, (d + 1) * d);
  for (double& v : noise.factor) v *= 0.3;
  for (double& v : noise.state) v *= 0.1;
  return noise;
}
Noise constant_only(int d) {
  Noise noise = additive(d);
  noise.state_rank = 0;
  noise.state.clear();
  return noise;
}
Vector on_gamma(const LossModel& model, const std::vector<double>& start) {
  Vector p = Eigen::Map<const Vector>(start.data(), model.dim());
  manifold::FlowMap{model}(p.data());
  return p;
}
/// kLanes points of Gamma near one, in lanes.
std::vector<double> spread_out(const LossModel& model, const Vector& p) {
  const int d = model.dim();
  std::vector<double> x(static_cast<std::size_t>(d * kLanes));
  for (int l = 0; l < kLanes; ++l) {
    std::vector<double> apart = loss::normal_data(9, static_cast<std::uint32_t>(60 + l), d);
    for (int k = 0; k < d; ++k) apart[k] = p[k] + 0.05 * apart[k];
    const Vector q = on_gamma(model, apart);
    for (int k = 0; k < d; ++k) x[k * kLanes + l] = q[k];
  }
  return x;
}
const slow::Parameters kEach[] = {
    {.batch = 8, .workers = 4, .alpha = 0.4},
    {.batch = 2, .workers = 1},
    {.batch = 8, .workers = 4, .alpha = std::numeric_limits<double>::infinity()},
    {.batch = 8, .workers = 4, .alpha = 0.4, .eta = 0.02, .H = 20},
    {.batch = 8,
     .workers = 4,
     .alpha = 0.4,
     .factors = {.drift_1 = 0.7, .drift_2 = 1.2, .tangent_normal = 0.5, .diffusion = 1.5}},
};

/// Its gradient and Hessian are not those of its value.
struct Marked : test::LogCosh {
  template <class T>
  void gradient(const T*, T* g) const {
    g[0] = 3.0;
    g[1] = -2.0;
  }
  template <class T>
  void hessian(const T*, T* H) const {
    for (int k = 0; k < 4; ++k) H[k] = k + 1.0;
  }
};
struct Nine {
  int dim() const { return 9; }
  template <class T>
  T value(const T* x) const {
    T sum = x[0] * x[1] - 1.0;
    for (int k = 2; k < 9; ++k) sum += x[k] * x[k];
    return test::log_cosh(sum);
  }
};

/// What may lie between two ways to compute it in double: some hundred roundings of 1e-16, times the ratio of the
/// largest eigenvalue to the smallest normal one, up to 100 here.
constexpr double kRounding = 2e-12;

}  // namespace

TEST_CASE("losses without residuals: every term in lanes is the dense path's") {
  test::for_each_value_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = make_model(l);
    const int d = model->dim();
    const Vector p = on_gamma(*model, start);
    for (const Noise& noise : {additive(d), constant_only(d)}) {
      const auto lanes = model->hessian_terms(noise);
      slow::DenseGeometry dense(*model, noise);
      lanes->compute(p.data());
      dense.compute(p.data());
      const auto same = [](const auto& a, const auto& b) { CHECK((a - b).norm() < kRounding * (1 + b.norm())); };
      same(lanes->normal_eigenvalues(), dense.normal_eigenvalues());
      for (const auto& q : kEach) {
        for (const auto term : {Term::sigma_hat, Term::psi_hat, Term::drift_1, Term::drift_2, Term::drift}) {
          same(lanes->matrix(term, q), dense.matrix(term, q));
          same(lanes->contraction(term, q), dense.contraction(term, q));
        }
        CHECK(dense.contraction(Term::drift, q).norm() > 1e-5);
      }
      same(lanes->ito_normal(2), dense.ito_normal(2));
      same(lanes->gradient_of_trace(), dense.gradient_of_trace());
      const Matrix A = lanes->tangent_noise(), B = dense.tangent_noise();
      same(A, B);
      Vector u = Eigen::Map<const Vector>(start.data(), d), v = u;
      lanes->project(u.data());
      dense.project(v.data());
      same(u, v);
      const Vector off = p + 1e-3 * Vector::Ones(d);
      lanes->compute(off.data());
      dense.compute(off.data());
      // Off Gamma tangents have eigenvalues, too, here of 1e-4 of the largest.
      const Vector step = dense.newton_step();
      CHECK((lanes->newton_step() - step).norm() < 100 * kRounding * (1 + step.norm()));
    }
  });
}

TEST_CASE("losses without residuals: steps and whole paths in lanes are the dense path's") {
  test::for_each_value_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = make_model(l);
    const int d = model->dim();
    const auto from = spread_out(*model, on_gamma(*model, start));
    for (const Noise& noise : {additive(d), constant_only(d)}) {
      const auto lanes = slow::slow_kernel(*model, noise, false), dense = slow::dense_slow_kernel(*model, noise);
      CHECK(lanes->innovations() == dense->innovations());
      const int columns = lanes->innovations().count();
      const auto same = [&](const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
        for (std::size_t k = 0; k < a.size(); ++k) CHECK(a[k] == doctest::Approx(b[k]).epsilon(tolerance).scale(1));
      };
      const auto xi = loss::normal_data(5, 52, columns * kLanes);
      for (const auto& q : kEach) {
        auto x = from, y = from, move_x = from, move_y = from;
        CHECK(lanes->step(x.data(), q, 0.01, xi.data(), move_x.data()) == 0);
        CHECK(dense->step(y.data(), q, 0.01, xi.data(), move_y.data()) == 0);
        same(x, y, kRounding);
        same(move_x, move_y, kRounding);
        CHECK(x != from);
      }
      // 100 steps, whose errors add up and are stretched as the paths part.
      for (const auto integrator : {slow::Integrator::euler_maruyama, slow::Integrator::weak_euler}) {
        auto x = from, y = from;
        const slow::Steps steps{
            .parameters = kEach[0], .dt = 0.01, .first_step = 3, .count = 100, .integrator = integrator};
        CHECK(lanes->advance(x.data(), {7, 64, 0}, steps) == 0);
        CHECK(dense->advance(y.data(), {7, 64, 0}, steps) == 0);
        same(x, y, 1000 * kRounding);
      }
    }
  });
}

TEST_CASE("losses without residuals: no lane depends on another, nor on how many there are") {
  const auto check = [](const auto& l, const std::vector<double>& from) {
    using L = std::remove_cvref_t<decltype(l)>;
    const int d = l.dim();
    const Noise noise = additive(d);
    const auto xi = loss::normal_data(5, 53, (d + 1) * kLanes);
    // As T's lanes, the paths in this order.
    const auto moved = [&]<class T>(T, int turn) {
      std::vector<double> to(from.size());
      slow::HessianGeometry<L, T> geometry(l, noise.view());
      std::vector<T> x(static_cast<std::size_t>(d)), move(x.size());
      for (int first = 0; first < kLanes; first += lanes_of<T>) {
        const auto path = [&](int lane) { return (first + lane + turn) % kLanes; };
        for (int k = 0; k < d; ++k)
          for (int i = 0; i < lanes_of<T>; ++i) set_lane(x[k], i, from[k * kLanes + path(i)]);
        for (int s = 0; s < 20; ++s) {
          auto lost = T(1.0) < T(0.0);
          slow::given_step(
              geometry, x.data(), move.data(), slow::Prepared(kEach[0]), 0.01,
              [&](int column) {
                T value(0.0);
                for (int i = 0; i < lanes_of<T>; ++i) set_lane(value, i, xi[column * kLanes + path(i)]);
                return value;
              },
              lost);
        }
        for (int k = 0; k < d; ++k)
          for (int i = 0; i < lanes_of<T>; ++i) to[k * kLanes + path(i)] = lane(x[k], i);
      }
      return to;
    };
    const auto alone = moved(Pack<double, 1>(0.0), 0);  // not on doubles: their exp is libm's
    const auto same = [&](const std::vector<double>& other) {
      for (std::size_t k = 0; k < other.size(); ++k)
        CHECK((other[k] == alone[k] || (std::isnan(other[k]) && std::isnan(alone[k]))));
    };
    same(moved(Pack<double, 2>(0.0), 0));
    same(moved(Real(0.0), 0));
    same(moved(Real(0.0), 5));
  };
  test::for_each_value_loss([&](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = make_model(l);
    auto from = spread_out(*model, on_gamma(*model, start));
    // Among them one that is not a number, one far away, one in the middle of nowhere.
    from[7] = std::numeric_limits<double>::quiet_NaN();
    from[kLanes + 11] = 40;
    from[12] = from[kLanes + 12] = 0;
    check(l, from);
  });
  // Lanes on the plane beside lanes on the line: their normal spaces have one dimension and two.
  const test::TwoRanks l;
  const auto model = make_model(l);
  auto from = spread_out(*model, on_gamma(*model, {0.7, 0.1, 0.1}));
  const auto plane = spread_out(*model, on_gamma(*model, {-0.7, 0.4, 0.1}));
  for (int i = 0; i < kLanes; i += 3)
    for (int k = 0; k < 3; ++k) from[k * kLanes + i] = plane[k * kLanes + i];
  check(l, from);
}

TEST_CASE("losses without residuals: lanes whose retraction fails are those that are lost") {
  const test::Shell shell;
  const auto model = make_model(shell);
  Noise noise;
  noise.rank = 4;
  noise.factor.assign(16, 0);
  for (int k = 0; k < 4; ++k) noise.factor[k * 5] = 1;
  const auto lanes = slow::slow_kernel(*model, noise, false), dense = slow::dense_slow_kernel(*model, noise);
  auto x = spread_out(*model, on_gamma(*model, {0.4, 0.6, -0.5, 0.3}));
  auto xi = loss::normal_data(5, 54, 4 * kLanes);
  for (int k = 0; k < 4; ++k) {
    xi[k * kLanes + 13] = 300.0 * (k + 1);  // far beyond where the normal meets the shell
    xi[k * kLanes + 30] = -200.0 * (4 - k);
  }
  x[2 * kLanes + 21] = std::numeric_limits<double>::quiet_NaN();
  auto y = x, move = x;
  const slow::Parameters p{.batch = 8, .workers = 4, .alpha = 0.4};
  const unsigned lost = lanes->step(x.data(), p, 0.01, xi.data(), move.data());
  CHECK(lost == (1u << 13 | 1u << 30 | 1u << 21));
  CHECK(dense->step(y.data(), p, 0.01, xi.data(), move.data()) == lost);
  for (int l = 0; l < kLanes; ++l)
    if (!(lost >> l & 1))
      for (int k = 0; k < 4; ++k)
        CHECK(x[k * kLanes + l] == doctest::Approx(y[k * kLanes + l]).epsilon(kRounding).scale(1));
}

TEST_CASE("derivatives by hand, in one pass and along directions are the same") {
  const auto check = [](const auto& l, const auto& other, const std::vector<double>& start) {
    const int d = l.dim();
    const auto size = static_cast<std::size_t>(d);
    const std::vector<Real> x(start.begin(), start.end());
    std::vector<Real> u(size), w(size), g(size), h(size), H(size * size), G(size * size);
    for (int k = 0; k < d; ++k) {
      u[k] = Real(std::cos(k + 1.0));
      w[k] = Real(1e-3 * std::sin(2.0 * k + 1));  // of another length
    }
    const auto same = [](const std::vector<Real>& a, const std::vector<Real>& b) {
      for (std::size_t k = 0; k < a.size(); ++k) CHECK(a[k][1] == doctest::Approx(b[k][1]).epsilon(1e-13).scale(1));
    };
    loss::Expansion<std::remove_cvref_t<decltype(l)>, Real> one(l);
    loss::Expansion<std::remove_cvref_t<decltype(other)>, Real> two(other);
    one.at(x.data(), H.data());
    two.at(x.data(), G.data());
    same(H, G);
    one.third(u.data(), w.data(), g.data());
    two.third(u.data(), w.data(), h.data());
    for (auto* v : {&g, &h})
      for (auto& entry : *v) entry *= Real(1e3);
    same(g, h);
    loss::gradient(l, x.data(), g.data());
    loss::gradient_automatic(other, x.data(), h.data());
    same(g, h);
  };
  check(test::LogCosh{}, test::AnySize<test::LogCosh>{}, {1.3, 0.9});
  check(test::LogCoshByHand{}, test::LogCosh{}, {1.3, 0.9});
  check(test::TwoNormals{}, test::AnySize<test::TwoNormals>{}, {1.3, 0.9, 1.1});
  check(test::Shell{}, test::AnySize<test::Shell>{}, {0.4, 0.6, -0.5, 0.3});
}

TEST_CASE("a loss's own gradient is what its algorithms descend, its own Hessian what the flow takes") {
  const auto model = make_model(Marked{});
  discrete::Algorithm a{.workers = 1, .batch = 1, .seed = 7};
  a.type = &discrete::sgd;
  a.rate.eta = 0.1;
  a.rate.steps = 1;
  const auto kernel = model->discrete_kernel({}, a);
  std::vector<double> x(static_cast<std::size_t>(kernel->shape().size() * kLanes), 1.0), spread(kLanes);
  kernel->advance(x.data(), 0, 0, 1, spread.data());
  CHECK(x[0] == 1.0 - 0.1 * 3.0);
  CHECK(x[kLanes] == 1.0 - 0.1 * -2.0);
  double g[2], H[4];
  model->gradient(x.data(), g);
  model->hessian(x.data(), H);
  CHECK(g[0] == 3);
  CHECK(H[3] == 4);
}

TEST_CASE("of more dimensions paths go one by one") {
  const auto model = make_model(Nine{});
  const Noise noise = constant_only(9);
  CHECK(!model->hessian_slow_kernel(noise));
  CHECK(!model->hessian_terms(noise));
  CHECK(slow::slow_kernel(*model, noise, false)->innovations().count() == 9);
}

TEST_CASE("steps so long that a chord would not converge end on Gamma") {
  const test::LogCosh l;
  const auto model = make_model(l);
  const Noise noise = constant_only(2);
  slow::HessianGeometry<test::LogCosh, double> geometry(l, noise.view());
  Vector p = on_gamma(*model, {1.4, 0.8});
  geometry.compute(p.data());
  Vector u(2);
  u << p[0], -p[1];  // tangent
  for (const double length : {-0.5, -0.2, 1e-9, 0.2, 0.5}) {
    CAPTURE(length);
    Vector x = p + length * u;
    CHECK(!geometry.retract(x.data()));
    CHECK(std::abs(x[0] * x[1] - 1) < 1e-14);
    CHECK(std::abs((x - p - length * u).dot(u)) < 1e-14);  // along the normal
  }
}
