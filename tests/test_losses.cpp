// Automatic derivatives of every loss against finite differences; Sigma(theta) against the sample covariance of drawn
// gradients.
#include <doctest/doctest.h>

#include "all_losses.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/model/make_model.hpp"

using namespace sde;
using slow::Matrix;
using slow::Vector;

TEST_CASE("gradient, Hessian and third derivative against central differences") {
  test::for_each_loss([](const char* name, const auto& l, const std::vector<double>& x) {
    CAPTURE(std::string(name));
    const auto model = model_of(l);
    const int d = model->dim();
    const double h = 1e-4;
    Vector u(d), g(d), gp(d), gm(d), Hu(d), Hp(d), Hm(d), t(d);
    for (int j = 0; j < d; ++j) u[j] = std::sin(j + 1.0);
    const Vector X = Eigen::Map<const Vector>(x.data(), d), P = X + h * u, M = X - h * u;
    model->gradient(X.data(), g.data());
    CHECK(g.dot(u) == doctest::Approx((model->value(P.data()) - model->value(M.data())) / (2 * h)).epsilon(1e-5));
    model->gradient(P.data(), gp.data());
    model->gradient(M.data(), gm.data());
    model->hessian_vector(X.data(), u.data(), Hu.data());
    CHECK((Hu - (gp - gm) / (2 * h)).norm() < 1e-5 * (1 + Hu.norm()));
    CHECK((slow::hessian(*model, X.data()) * u - Hu).norm() < 1e-13 * (1 + Hu.norm()));
    model->hessian_vector(P.data(), u.data(), Hp.data());
    model->hessian_vector(M.data(), u.data(), Hm.data());
    model->third_along(X.data(), u.data(), t.data());
    CHECK((t - (Hp - Hm) / (2 * h)).norm() < 1e-5 * (1 + t.norm()));
  });
}

namespace {

/// Largest z-score over the entries of the sample covariance of drawn gradients against Sigma/b, and of their mean.
template <class L>
void check_covariance(const L& l, const Noise& noise, const std::vector<double>& x, int batch, bool gaussian,
                      bool two_point = false) {
  if (gaussian && !two_point) check_covariance(l, noise, x, batch, true, true);
  const auto model = model_of(l);
  const int d = l.dim(), groups = 4000, draws = groups * lanes_of<Real>;
  discrete::StochasticGradient<L, Real> gradient(l, noise.view(), {batch, gaussian, 1, two_point});
  std::vector<Real> X(d), g(d);
  for (int k = 0; k < d; ++k) X[k] = Real(x[k]);
  Matrix G(d, draws);
  for (int s = 0; s < groups; ++s) {
    gradient.seek({99, static_cast<std::uint32_t>(s * lanes_of<Real>), 2}, 17);
    gradient(X.data(), g.data());
    for (int l2 = 0; l2 < lanes_of<Real>; ++l2)
      for (int k = 0; k < d; ++k) G(k, s * lanes_of<Real> + l2) = g[k][l2];
  }
  Vector exact(d);
  model->gradient(x.data(), exact.data());
  const Matrix sigma = slow::covariance(*model, noise, x.data(), batch) / batch;
  const Matrix centred = G.colwise() - exact;
  for (int i = 0; i < d; ++i) {
    CHECK(std::abs(centred.row(i).mean()) <= 5 * std::sqrt(sigma(i, i) / draws) + 1e-14);
    for (int j = 0; j <= i; ++j) {
      const auto product = centred.row(i).cwiseProduct(centred.row(j));
      const double mean = product.mean();
      const double se = std::sqrt((product.array() - mean).square().mean() / draws);
      // Products of two-point increments do not vary at all: what is left is the rounding of a mean of `draws` terms.
      CHECK(std::abs(mean - sigma(i, j)) <= 5 * se + draws * 1e-16);
    }
  }
}

}  // namespace

TEST_CASE("Sigma(theta) is the covariance of drawn gradients, for each noise and for sums, off Gamma too") {
  const std::vector<double> x{1.0, 0.5, 0.4, 0.6, 0.3, 0.5, 0.6, 0.7}, point{1.5, 0.8};
  const loss::DiagonalNetwork net(4, 4, 1, 5);
  const loss::Hyperbola hyperbola;
  for (const bool gaussian : {false, true})
    for (const auto law : {Law::gaussian, Law::two_point})
      for (const auto sampling : {Sampling::full, Sampling::with_replacement, Sampling::without_replacement}) {
        if (gaussian && sampling == Sampling::without_replacement) continue;
        CAPTURE(gaussian);
        CAPTURE(static_cast<int>(law));
        CAPTURE(static_cast<int>(sampling));
        Noise noise;
        noise.sampling = sampling;
        check_covariance(net, noise, x, 2, gaussian);
        noise.sigma2 = 0.49;
        noise.label_law = law;
        check_covariance(net, noise, x, 2, gaussian);
        check_covariance(hyperbola, noise, point, 3, gaussian);
        check_covariance(loss::Ring{}, noise, point, 3, gaussian);
        noise.rank = 2;
        noise.factor = {0.3, 0.1, -0.2, 0.4};
        noise.state_rank = 1;
        noise.state = {0.1, 0.2, 0.5, -0.3, 0.05, 0.4};
        check_covariance(hyperbola, noise, point, 3, gaussian);
      }
}

namespace {

/// A loss without the interface for drawn residuals: its gradients go through weights on all of them.
template <class L>
struct ThroughWeights {
  const L& loss;
  int dim() const { return loss.dim(); }
  int residual_count() const { return loss.residual_count(); }
  template <class T>
  void residuals(const T* x, T* f) const {
    loss.residuals(x, f);
  }
};

/// Checks lane by lane that two losses' gradients in the same places of the same streams agree to rounding.
template <class T, class A, class B>
void check_same_gradients(const A& a, const B& b, const Noise& noise, int batch) {
  const int d = a.dim();
  const NoiseOf<scalar_of<T>> own(noise);
  discrete::StochasticGradient<A, T> of_a(a, own.view(), {batch});
  discrete::StochasticGradient<B, T> of_b(b, own.view(), {batch});
  std::vector<T> x(d), g(d), h(d);
  for (int k = 0; k < d; ++k)
    for (int l = 0; l < lanes_of<T>; ++l) set_lane(x[k], l, static_cast<scalar_of<T>>(0.1 * ((3 * k + l) % 7) + 0.2));
  of_a.seek({7, 3, 1}, 5);
  of_b.seek({7, 3, 1}, 5);
  for (int step = 0; step < 20; ++step) {
    of_a(x.data(), g.data());
    of_b(x.data(), h.data());
    for (int k = 0; k < d; ++k)
      for (int l = 0; l < lanes_of<T>; ++l)
        CHECK(std::abs(lane(g[k], l) - lane(h[k], l)) <= 100 * epsilon_of<T> * (1 + std::abs(lane(h[k], l))));
  }
}

}  // namespace

TEST_CASE("the gradient of the drawn residuals alone is that through weights on all, in every lane") {
  const auto check = [](const auto& l) {
    using L = std::remove_cvref_t<decltype(l)>;
    static_assert(DrawnLoss<L>);
    static_assert(!DrawnLoss<ThroughWeights<L>>);
    for (const auto sampling : {Sampling::with_replacement, Sampling::without_replacement})
      for (const auto law : {Law::gaussian, Law::two_point})
        for (const int batch : {1, 3, 14}) {
          CAPTURE(batch);
          Noise noise;
          noise.sampling = sampling;
          noise.sigma2 = batch == 3 ? 0 : 0.5;
          noise.label_law = law;
          const ThroughWeights<L> all{l};
          check_same_gradients<Pack<double, 1>>(l, all, noise, batch);
          check_same_gradients<Real>(l, all, noise, batch);
          check_same_gradients<Pack<float, kKernelLanes<float>>>(l, all, noise, batch);
        }
  };
  check(loss::Flat(10, 12, 3));
  check(loss::DiagonalNetwork(10, 12, 2, 5));
  check(loss::TanhNetwork(10, 2, 4, 1, 5));
  check(loss::MatrixSensing(10, 4, 2, 1, 5));
}

TEST_CASE("without replacement every epoch visits each sample once") {
  for (std::uint64_t epoch : {0, 1, 7}) {
    std::vector<std::uint16_t> order(10), next(10);
    discrete::epoch_order({5, 3, 1}, epoch, 10, order.data());
    discrete::epoch_order({5, 3, 1}, epoch + 1, 10, next.data());
    CHECK(order != next);
    std::sort(order.begin(), order.end());
    for (int i = 0; i < 10; ++i) CHECK(order[i] == i);
  }
}
