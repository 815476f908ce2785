// What is found of Gamma: ranks, eigenvalues and warnings where they are known; the spectrum behind them.
#include <doctest/doctest.h>

#include <numbers>

#include "keeping_residuals.hpp"
#include "problems.hpp"
#include "sde/manifold/findings.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/model/make_model.hpp"

using namespace sde;
using manifold::Findings;
using slow::Vector;

namespace {

/// At the Phi of x.
Findings found(const LossModel& model, std::vector<double> x) {
  manifold::FlowMap flow(model);
  flow(x.data());
  return manifold::findings_around(model, x.data(), flow.interpolating());
}
template <class L>
Findings found(const L& loss, std::vector<double> x) {
  return found(*make_model(loss), std::move(x));
}
/// Whether there is one warning, with these words.
bool only_warning(const Findings& f, const std::string& words) {
  const auto all = manifold::warnings(f);
  return all.size() == 1 && all[0].find(words) != std::string::npos;
}

/// Gamma is the x axis and the y axis; the Hessian is x^2 or y^2, and 0 where they cross.
struct Cross {
  int dim() const { return 2; }
  int residual_count() const { return 1; }
  template <class T>
  void residuals(const T* x, T* f) const {
    f[0] = x[0] * x[1];
  }
};
/// Minima at y = +-1, a saddle at y = 0 where the Hessian is (1, -1/2, 0).
struct DoubleWell {
  int dim() const { return 3; }
  template <class T>
  T value(const T* x) const {
    const T square = x[1] * x[1];
    return x[0] * x[0] * 0.5 + square * (square - 1.0) * 0.25;
  }
};
/// 1/2 x^2 + y^4: a minimum at 0, whose Hessian takes y for a tangent direction.
struct Quartic {
  int dim() const { return 2; }
  template <class T>
  T value(const T* x) const {
    const T square = x[1] * x[1];
    return x[0] * x[0] * 0.5 + square * square;
  }
};
struct Bowl {
  int dim() const { return 2; }
  template <class T>
  T value(const T* x) const {
    return x[0] * x[0] * 0.5 + x[1] * x[1];
  }
};
/// 1/2 (x^2 + small y^2) over R^3.
struct Unequal {
  double small;
  int dim() const { return 3; }
  int residual_count() const { return 2; }
  template <class T>
  void residuals(const T* x, T* f) const {
    f[0] = x[0] * std::numbers::sqrt2;
    f[1] = x[1] * std::sqrt(2 * small);
  }
};

}  // namespace

TEST_CASE("spectrum: through the residuals and through the dense Hessian, the same eigenpairs, step and tangents") {
  test::for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = model_of(l);
    const int d = model->dim(), few = std::min(d, model->residual_count());
    Vector p = Eigen::Map<const Vector>(start.data(), d);
    manifold::FlowMap{*model}(p.data());
    const manifold::Spectrum a(*model, p.data(), true), b(*model, p.data(), false);
    REQUIRE(a.eigenvalues().size() == few);
    CHECK((a.eigenvalues() - b.eigenvalues().tail(few)).norm() < 1e-11 * b.largest());  // f_i F_i of residuals of 1e-12
    const slow::Matrix H = slow::hessian(*model, p.data());
    const Vector u = Vector::LinSpaced(d, 0.3, 1.7);
    for (const auto* s : {&a, &b}) {
      const Vector v = s->direction(s->eigenvalues().size() - 1), t = s->tangent(u);
      CHECK((H * v - s->largest() * v).norm() < 1e-11 * s->largest());
      CHECK((H * t).norm() < 1e-9 * s->largest());  // rounding over the eigenvalues' ratio, at most 2e3 here
      CHECK((H * (u - t) - H * u).norm() < 1e-9 * s->largest());
    }
    // Beside Gamma: the step is normal to it, and leaves residuals of second order in its length.
    Vector q = p + 1e-6 * u;
    const manifold::Spectrum beside(*model, q.data(), true);
    const Vector step = beside.newton_step();
    CHECK(step.norm() > 1e-9);
    CHECK(beside.tangent(step).norm() < 1e-9 * step.norm());
    Vector before(model->residual_count()), after(model->residual_count());
    const Vector there = q + step;
    model->residuals(q.data(), before.data());
    model->residuals(there.data(), after.data());
    CHECK(after.norm() < 1e-4 * before.norm() + 1e-15);
    slow::DenseGeometry dense(*model, Noise{});
    dense.compute(q.data());
    CHECK((manifold::Spectrum(*model, q.data(), false).newton_step() - dense.newton_step()).norm() <
          1e-9 * step.norm());
  });
}

TEST_CASE("built-in losses: rank, dimension and eigenvalues, and nothing to warn of") {
  test::for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = model_of(l);
    const Findings f = found(*model, start);
    CHECK(f.rank == std::min(model->residual_count(), model->dim()));
    CHECK(f.dim_gamma() + f.rank == model->dim());
    CHECK(f.interpolating);
    CHECK(f.neighbours == f.sought);
    CHECK(f.neighbours == 16);
    CHECK(f.least_rank == f.most_rank);
    CHECK(manifold::warnings(f).empty());
  });
  const Findings ring = found(*model_of(loss::Ring{0.5}), {0.6, 0.8});  // sharpness 4 (1 + x/2)
  CHECK(manifold::describe(ring) == "dimension 1 of 2, Hessian of rank 1, eigenvalue 5.2; residuals vanish");
  CHECK(ring.reach == doctest::Approx(0.02));
  CHECK(ring.most_smallest == doctest::Approx(5.2 + 2 * 0.8 * 0.02).epsilon(1e-3));  // 0.02 along the circle
  const Findings sphere = found(*model_of(loss::Sphere{3}), {0.3, 0.4, 1.2});
  CHECK(manifold::describe(sphere) == "dimension 2 of 3, Hessian of rank 1, eigenvalue 2; residuals vanish");
  CHECK(sphere.least_smallest == doctest::Approx(2));
  CHECK(sphere.most_smallest == doctest::Approx(2));
}

TEST_CASE("residuals that stay, and no squared loss: through the dense Hessian") {
  const Findings offset = found(test::Offset{}, {1.3, 1.1, 1.3});
  CHECK(!offset.interpolating);
  CHECK(offset.rank == 2);
  CHECK(offset.largest_residual == doctest::Approx(1.0 / 3));  // p - 1 + s, p - 2 - s and s, at p = 3/2 and s = -1/3
  CHECK(manifold::describe(offset).find("; residuals up to 0.333 stay: terms through the dense Hessian") !=
        std::string::npos);
  CHECK(manifold::warnings(offset).empty());
  const Findings well = found(DoubleWell{}, {1, 0.1, 0.2});
  CHECK(manifold::describe(well) ==
        "dimension 1 of 3, Hessian of rank 2, eigenvalues 1; no squared loss: terms through the dense Hessian");
  CHECK(manifold::warnings(well).empty());
}

TEST_CASE("a saddle: the Hessian is indefinite") {
  const Findings f = found(DoubleWell{}, {1, 0, 0.2});
  CHECK(f.negative == 1);
  CHECK(f.least == doctest::Approx(-0.5));
  CHECK(f.rank == 2);
  CHECK(f.dim_gamma() == 1);
  CHECK(only_warning(f, "the Hessian is indefinite: 1 of its eigenvalues is negative (down to -0.5)"));
  CHECK(manifold::describe(f).find("eigenvalues -0.5 to 1;") != std::string::npos);
}

TEST_CASE("crossing lines: the rank changes at the origin, which is known there and near it, and nowhere else") {
  const Findings origin = found(Cross{}, {0, 0});
  CHECK(origin.rank == 0);
  CHECK(origin.least_rank == 0);
  CHECK(origin.most_rank == 1);
  CHECK(only_warning(origin, "the Hessian's rank changes: it is 0 to 1 at this point and"));
  for (const double x : {1e-7, -1e-7}) {  // x^2 is 1e-10 of the neighbours' 1e-4
    const Findings beside = found(Cross{}, {x, 0});
    CHECK(beside.rank == 1);
    CHECK(beside.least_rank == 0);
    CHECK(only_warning(beside, "the Hessian's rank changes: it is 0 to 1"));
  }
  // The square root of the eigenvalue is |x|, and the reach r = 0.01 (1 + |x|): (x + r)/(x - r) is 2 at x = 0.0309.
  for (const double x : {0.001, 0.009, 0.0305})
    CHECK(only_warning(found(Cross{}, {x, 0}), "the Hessian's rank changes close by"));
  for (const double x : {0.0313, 1.0}) CHECK(manifold::warnings(found(Cross{}, {x, 0})).empty());
}

TEST_CASE("minima that are isolated, or degenerate") {
  const Findings bowl = found(Bowl{}, {1, 1});
  CHECK(bowl.dim_gamma() == 0);
  CHECK(bowl.sought == 0);
  CHECK(only_warning(bowl, "the minimum is isolated"));
  const Findings quartic = found(Quartic{}, {0, 0});
  CHECK(quartic.dim_gamma() == 1);
  CHECK(quartic.sought == 16);
  CHECK(quartic.neighbours == 0);
  CHECK(only_warning(quartic, "no other point of Gamma is found 0.01 beside it"));
}

TEST_CASE("eigenvalues on either side of the threshold of zero") {
  CHECK(manifold::warnings(found(Unequal{2e-6}, {0, 0, 1})).empty());
  const Findings above = found(Unequal{1e-8}, {0, 0, 1});
  CHECK(above.rank == 2);
  CHECK(above.smallest == doctest::Approx(1e-8));
  CHECK(only_warning(above, "the smallest nonzero eigenvalue is 1e-08 of the largest, close to the 1e-09"));
  const Findings below = found(Unequal{1e-10}, {0, 0, 1});
  CHECK(below.rank == 1);
  CHECK(below.dim_gamma() == 2);
  CHECK(below.greatest_zero == doctest::Approx(1e-10));
  CHECK(only_warning(below, "an eigenvalue that is 1e-10 of the largest counts as zero"));
  CHECK(manifold::warnings(found(Unequal{1e-13}, {0, 0, 1})).empty());  // rounding may make that of a zero
  CHECK(manifold::warnings(found(Unequal{0}, {0, 0, 1})).empty());
}

TEST_CASE("a run keeps the spectra of all its observations") {
  const auto problem = test::problem_of(loss::Ring{0.5}, test::constant({0.5, 0, 0, 0.5}, 2), {0.6, 0.8});
  auto method = test::slow_method(test::Kind::slow_sgd, 1, 1, 0, 0.01, 100);  // blocks of 32
  const auto r = ensemble::run(problem, method, test::at({0, 0.1, 0.2}, {}, 2), test::kTwoThreads);
  REQUIRE(r.lost == 0);
  CHECK(r.spectra.points == 300);
  CHECK(r.spectra.least_rank == 1);
  CHECK(r.spectra.most_rank == 1);
  double least = 1e300, most = 0;
  for (const auto& time : r.samples)
    for (const double lambda : time[r.index_of("lambda_max")]) {
      least = std::min(least, lambda);
      most = std::max(most, lambda);
    }
  CHECK(r.spectra.smallest == least);
  CHECK(r.spectra.largest == most);
  CHECK(least < most);
}

TEST_CASE("spectra that are met on the way: ranks and eigenvalues, in any order of merging") {
  const auto of = [](std::vector<double> eigenvalues) {
    ensemble::SpectrumRange r;
    r.add(Eigen::Map<const Vector>(eigenvalues.data(), static_cast<Eigen::Index>(eigenvalues.size())));
    return r;
  };
  ensemble::SpectrumRange all;
  CHECK(all.points == 0);
  all.merge(of({1, 4}));
  all.merge({});
  all.merge(of({0.5, 2}));
  CHECK(all.points == 2);
  CHECK(all.constant_rank());
  CHECK(all.smallest == 0.5);
  CHECK(all.largest == 4);
  auto fewer = of({3});
  fewer.merge(all);
  CHECK(!fewer.constant_rank());
  CHECK(fewer.least_rank == 1);
  CHECK(fewer.most_rank == 2);
  all.merge(of({1e-9, 1e-8}));  // rank 2 by itself, 0 beside the others
  CHECK(all.least_rank == 2);
  CHECK(!all.constant_rank());
  all.merge(of({}));
  CHECK(all.least_rank == 0);
  CHECK(all.smallest == 0);
}
