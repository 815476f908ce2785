// Every optional member that a built-in loss has, against what it stands for: derivatives by hand against automatic
// ones (theory.md section 7 has the losses), what must do the same arithmetic to the bit, defaults against what they
// replace.
#include <doctest/doctest.h>

#include <set>

#include "../src/experiment/registry.hpp"
#include "all_losses.hpp"
#include "sde/loss/derivatives.hpp"
#include "sde/manifold/flow_map.hpp"

using namespace sde;

namespace {

template <class T>
void close(const std::vector<T>& a, const std::vector<T>& b, double tolerance = 1e-13) {
  REQUIRE(a.size() == b.size());
  for (std::size_t k = 0; k < a.size(); ++k)
    for (int l = 0; l < lanes_of<T>; ++l)
      CHECK(lane(a[k], l) == doctest::Approx(lane(b[k], l)).epsilon(tolerance).scale(1));
}
void same_bits(const std::vector<double>& a, const std::vector<double>& b) { CHECK(a == b); }

/// Use(name, loss, point) of every loss at the tests' points and where it describes itself.
template <class Use>
void everywhere(Use use) {
  test::for_each_loss(use);
  test::for_each_described_loss(use);
}

/// Weights of the residuals, and a direction.
struct Probe {
  std::vector<double> w, u;
  Probe(int d, int n) : w(static_cast<std::size_t>(n)), u(static_cast<std::size_t>(d)) {
    for (int i = 0; i < n; ++i) w[i] = 0.3 + 0.7 * i;
    for (int j = 0; j < d; ++j) u[j] = std::cos(j + 1.0);
  }
};

}  // namespace

TEST_CASE("every loss of the list is known by its own name, described, and gone through") {
  std::set<std::string> listed;
  for (const auto& e : experiment::losses()) {
    CAPTURE(e.name);
    CHECK(listed.insert(e.name).second);
    CHECK(e.formula != "");
    for (const auto& k : e.keys) {
      CHECK(k.meaning != "");
      CHECK(k.values != "");
      CHECK(k.otherwise != "");
    }
    Defaults defaults;
    const auto made = e.make(defaults);
    CHECK(made.start.size() == made.model->dim());
    auto start = made.start;
    CHECK_NOTHROW(manifold::FlowMap{*made.model}(start.data()));  // the flow takes the default start to Gamma
  }
  std::set<std::string> tested;
  test::for_each_loss([&](const char*, const auto& l, const auto& x) {
    tested.insert(l.name);
    CHECK(static_cast<int>(x.size()) == l.dim());
  });
  CHECK(tested == listed);
}

TEST_CASE("derivatives by hand are the automatic ones") {
  everywhere([](const char* name, const auto& l, const std::vector<double>& x) {
    CAPTURE(std::string(name));
    if constexpr (SquaredLoss<std::remove_cvref_t<decltype(l)>>) {
      const int d = l.dim(), n = l.residual_count();
      const Probe probe(d, n);
      std::vector<double> a(n * d), b(n * d), p(d), q(d);
      const double *X = x.data(), *W = probe.w.data(), *U = probe.u.data();
      loss::jacobian(l, X, a.data());
      loss::jacobian_automatic(l, X, b.data());
      close(a, b);
      loss::pullback(l, X, W, p.data());
      loss::pullback_automatic(l, X, W, q.data());
      close(p, q);
      loss::weighted_hvp(l, X, W, U, p.data());
      loss::weighted_hvp_automatic(l, X, W, U, q.data());
      close(p, q);
    }
    if constexpr (requires(double* g) { l.gradient(x.data(), g); }) {
      std::vector<double> p(x.size()), q(x.size());
      l.gradient(x.data(), p.data());
      loss::gradient_automatic(l, x.data(), q.data());
      close(p, q);
    }
    if constexpr (requires(double* g) { l.noisy_gradient(x.data(), x[0], g); }) {
      std::vector<double> p(x.size()), q(x.size());
      double f;
      l.residuals(x.data(), &f);
      const double error = 0.7, noisy = f + error;
      l.noisy_gradient(x.data(), error, p.data());
      loss::pullback_automatic(l, x.data(), &noisy, q.data());
      close(p, q);
    }
  });
}

TEST_CASE("on lanes and on dual numbers as on doubles") {
  everywhere([](const char* name, const auto& l, const std::vector<double>& x) {
    CAPTURE(std::string(name));
    if constexpr (SquaredLoss<std::remove_cvref_t<decltype(l)>>) {
      using One = Dual<double, 1>;
      const int d = l.dim(), n = l.residual_count();
      const Probe probe(d, n);
      const std::vector<Real> X(x.begin(), x.end()), W(probe.w.begin(), probe.w.end()),
          U(probe.u.begin(), probe.u.end());
      std::vector<Real> a(n * d), b(n * d), p(d), q(d);
      loss::jacobian(l, X.data(), a.data());
      loss::jacobian_automatic(l, X.data(), b.data());
      close(a, b);
      loss::pullback(l, X.data(), W.data(), p.data());
      loss::pullback_automatic(l, X.data(), W.data(), q.data());
      close(p, q);
      loss::weighted_hvp(l, X.data(), W.data(), U.data(), p.data());
      loss::weighted_hvp_automatic(l, X.data(), W.data(), U.data(), q.data());
      close(p, q);
      // The derivative of J^T w along u is the product of the weighted Hessian with u.
      std::vector<One> y(x.begin(), x.end()), w(probe.w.begin(), probe.w.end()), g(d);
      for (int j = 0; j < d; ++j) y[j].d[0] = probe.u[j];
      loss::pullback(l, static_cast<const One*>(y.data()), static_cast<const One*>(w.data()), g.data());
      std::vector<double> along(d), hvp(d);
      for (int j = 0; j < d; ++j) along[j] = g[j].d[0];
      loss::weighted_hvp_automatic(l, x.data(), static_cast<const double*>(probe.w.data()),
                                   static_cast<const double*>(probe.u.data()), hvp.data());
      close(along, hvp);
    }
  });
}

TEST_CASE("entries are those of the whole") {
  everywhere([](const char* name, const auto& l, const std::vector<double>& x) {
    CAPTURE(std::string(name));
    const int d = l.dim(), n = sample_count(l);
    const Probe probe(d, n);
    const double *X = x.data(), *W = probe.w.data(), *U = probe.u.data();
    if constexpr (requires { l.residual(0, X); }) {
      std::vector<double> f(n), g(n);
      l.residuals(X, f.data());
      for (int i = 0; i < n; ++i) g[i] = l.residual(i, X);
      same_bits(f, g);
    }
    if constexpr (requires { l.jacobian_entry(0, 0, X); }) {
      std::vector<double> J(n * d), K(n * d);
      loss::jacobian(l, X, J.data());
      for (int k = 0; k < n * d; ++k) K[k] = l.jacobian_entry(k / d, k % d, X);
      same_bits(J, K);
    }
    if constexpr (requires { l.pullback_entry(0, X, W); }) {
      std::vector<double> g(d), h(d);
      loss::pullback(l, X, W, g.data());
      for (int j = 0; j < d; ++j) h[j] = l.pullback_entry(j, X, W);
      same_bits(g, h);
    }
    if constexpr (requires { l.weighted_hvp_entry(0, X, W, U); }) {
      std::vector<double> g(d), h(d);
      loss::weighted_hvp(l, X, W, U, g.data());
      for (int j = 0; j < d; ++j) h[j] = l.weighted_hvp_entry(j, X, W, U);
      same_bits(g, h);
    }
  });
}

TEST_CASE("a drawn sample: its residual, its gradient and its step in place are the same arithmetic") {
  everywhere([](const char* name, const auto& l, const std::vector<double>& x) {
    CAPTURE(std::string(name));
    using L = std::remove_cvref_t<decltype(l)>;
    if constexpr (DrawnLoss<L>) {
      const int d = l.dim(), n = l.residual_count();
      const double* X = x.data();
      std::vector<double> J(n * d), row(d), entries(d), in_place(d), by_rate(d), scratch(d);
      loss::jacobian_automatic(l, X, J.data());
      for (int i = 0; i < n; ++i) {
        const double f = l.linearize(X, l.input(i), l.label(i), row.data());
        CHECK(f == l.residual(i, X));
        close(row, std::vector<double>(J.begin() + i * d, J.begin() + (i + 1) * d));
        for (int j = 0; j < d; ++j) entries[j] = l.jacobian_entry(i, j, X);
        same_bits(row, entries);
        if constexpr (requires(double* y) { l.descend(y, l.input(i), l.label(i), 1.0, 1.0, y); }) {
          const double error = 0.3, eta = 0.05, rate = eta * (f + error);
          in_place = x;
          l.descend(in_place.data(), l.input(i), l.label(i), error, eta, scratch.data());
          for (int j = 0; j < d; ++j) by_rate[j] = x[j] - rate * row[j];
          same_bits(in_place, by_rate);
        }
      }
      std::vector<double> p(d), q(d);
      const Probe probe(d, n);
      loss::pullback_of_samples(l, X, static_cast<const double*>(probe.w.data()), p.data());
      loss::pullback_automatic(l, X, static_cast<const double*>(probe.w.data()), q.data());
      close(p, q);
    }
  });
}

TEST_CASE("a retraction in closed form ends on Gamma, on the line that it was given, and says where it cannot") {
  everywhere([](const char* name, const auto& l, const std::vector<double>& x) {
    CAPTURE(std::string(name));
    if constexpr (requires(double* y) { l.intersect_normal(y, y); }) {
      const int d = l.dim();
      std::vector<double> v(d), on_gamma = x;
      manifold::FlowMap{*model_of(l)}(on_gamma.data());
      loss::jacobian(l, static_cast<const double*>(on_gamma.data()), v.data());
      auto y = on_gamma;
      for (int k = 0; k < d; ++k) y[k] += 1e-2 * std::cos(k + 1.0);
      const auto before = y;
      CHECK(!l.intersect_normal(static_cast<const double*>(v.data()), y.data()));
      double f = 1;
      l.residuals(static_cast<const double*>(y.data()), &f);
      CHECK(std::abs(f) < 1e-13);
      double along = 0, square = 0;
      for (int k = 0; k < d; ++k) {
        along += (y[k] - before[k]) * v[k];
        square += v[k] * v[k];
      }
      for (int k = 0; k < d; ++k)
        CHECK(y[k] - before[k] == doctest::Approx(along / square * v[k]).epsilon(1e-12).scale(1));
      std::vector<double> nowhere(d, 0.0);
      CHECK(l.intersect_normal(static_cast<const double*>(nowhere.data()), y.data()));
    }
  });
}

TEST_CASE("a loss whose arrays stand elsewhere, transposed, is the same to the bit") {
  everywhere([](const char* name, const auto& l, const std::vector<double>& x) {
    CAPTURE(std::string(name));
    std::vector<std::vector<double>> kept;
    kept.reserve(16);
    const auto upload = [&](const std::vector<double>& from) -> const double* {
      return kept.emplace_back(from).data();
    };
    if constexpr (requires { l.on_device(upload); }) {
      const auto there = l.on_device(upload);
      REQUIRE(kept.size() < 16);
      static_assert(std::is_trivially_copyable_v<decltype(there)>);
      const int d = l.dim(), n = l.residual_count();
      const Probe probe(d, n);
      const double *X = x.data(), *W = probe.w.data(), *U = probe.u.data();
      std::vector<double> f(n), g(n), J(n * d), K(n * d), p(d), q(d);
      l.residuals(X, f.data());
      there.residuals(X, g.data());
      same_bits(f, g);
      loss::jacobian(l, X, J.data());
      loss::jacobian(there, X, K.data());
      same_bits(J, K);
      loss::pullback(l, X, W, p.data());
      loss::pullback(there, X, W, q.data());
      same_bits(p, q);
      loss::weighted_hvp(l, X, W, U, p.data());
      loss::weighted_hvp(there, X, W, U, q.data());
      same_bits(p, q);
      for (int i = 0; i < n; ++i) {
        CHECK(l.linearize(X, l.input(i), l.label(i), p.data()) ==
              there.linearize(X, there.input(i), there.label(i), q.data()));
        same_bits(p, q);
      }
      if constexpr (requires { l.test_error(X); }) {
        CHECK(l.test_error(X) == there.test_error(X));
        CHECK(l.test_error(X) > 0);
      }
    }
  });
}

TEST_CASE("test errors vanish where the student is the teacher") {
  const loss::DiagonalNetwork diagonal(3, 4, 2, 5);
  CHECK(diagonal.test_error(std::vector<double>{1, 1, 0, 0, 0, 0, 0, 0}.data()) == 0);
  const loss::TanhNetwork network(3, 2, 3, 3, 5);
  CHECK(network.test_error(network.teacher.data()) == 0);
}
