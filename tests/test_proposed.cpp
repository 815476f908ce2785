// Proposed slow SDEs: the theory's terms times factors; and which term a measurement says is wrong.
#include <doctest/doctest.h>

#include "problems.hpp"
#include "sde/model/dense_geometry.hpp"
#include "sde/random/streams.hpp"
#include "sde/verify/paired.hpp"

using namespace sde;
using namespace sde::test;
using slow::Factors;
using slow::Term;

namespace {

Problem ring() { return problem_of(loss::Ring{0.5}, constant({0.8, 0.3, -0.2, 0.5}, 2), {0, 1}); }

MethodResult slow_run(const Problem& p, const ensemble::Dynamics& dynamics, int batch, const Factors& factors,
                      int workers = 4) {
  Method m;
  m.dynamics = &dynamics;
  m.algorithm = {.workers = workers, .batch = batch, .seed = 3};
  m.algorithm.rate.eta = 0.01;
  m.algorithm.sync.H = 40;
  m.factors = factors;
  m.paths = 64;
  return ensemble::run(p, m, at({0, 0.25, 0.5}, {"x1", "x2"}, p.model->dim()), kTwoThreads);
}

void same_bits(const MethodResult& a, const MethodResult& b) {
  for (const char* name : {"x1", "x2", "trace_hessian"}) {
    CAPTURE(std::string(name));
    CHECK(last(a, name).mean == last(b, name).mean);
    CHECK(last(a, name).m2 == last(b, name).m2);
  }
}

}  // namespace

TEST_CASE("the drift of a proposed slow SDE is the sum of the theory's parts, each times its factor") {
  for_each_loss([](const char* name, const auto& l, const std::vector<double>& start) {
    CAPTURE(std::string(name));
    const auto model = model_of(l);
    const int d = model->dim();
    Noise noise = label(0.7);
    noise.rank = d;
    noise.factor = loss::normal_data(11, 50, d * d);
    manifold::FlowMap flow(*model);
    Vector p = Eigen::Map<const Vector>(start.data(), d);
    flow(p.data());
    const auto residual = model->residual_terms(noise);
    slow::DenseGeometry dense(*model, noise);
    for (slow::PointTerms* terms : {residual.get(), static_cast<slow::PointTerms*>(&dense)})
      for (const double alpha : {0.4, std::numeric_limits<double>::infinity()}) {
        terms->compute(p.data());
        slow::Parameters x{.batch = 4, .workers = 3, .alpha = alpha};
        const auto part = [&](Term term, double tangent_normal) {
          auto with = x;
          with.factors.tangent_normal = tangent_normal;
          return terms->contraction(term, with);
        };
        const Vector whole[] = {part(Term::drift_1, 1), part(Term::drift_2, 1)};
        const Vector normal[] = {part(Term::drift_1, 0), part(Term::drift_2, 0)};
        const double scale = whole[0].norm() + whole[1].norm() + 1e-3;
        CHECK((terms->contraction(Term::drift, x) - whole[0] - whole[1]).norm() < 1e-12 * scale);
        for (const Factors& f : {Factors{2, -0.5, 1, 1}, Factors{0, 3, 1, 1}, Factors{1, 0, 1, 5},
                                 Factors{1.5, 1, 0.25, 1}, Factors{0, 0, 1, 1}}) {
          x.factors = f;
          const Vector expected = f.drift_1 * (normal[0] + f.tangent_normal * (whole[0] - normal[0])) +
                                  f.drift_2 * (normal[1] + f.tangent_normal * (whole[1] - normal[1]));
          CHECK((terms->contraction(Term::drift, x) - expected).norm() < 1e-12 * scale);
          x.factors = {};
        }
      }
  });
}

TEST_CASE("drift_2 = 0 is SGD's slow SDE, all factors 2 are half the batch, to the bit; diffusion = 0 is the ODE") {
  const Problem p = ring();
  same_bits(slow_run(p, ensemble::slow_sde(), 4, {.drift_2 = 0}), slow_run(p, ensemble::slow_sde(), 4, {}, 1));
  same_bits(slow_run(p, ensemble::slow_sde(), 8, {.drift_1 = 2, .drift_2 = 2, .diffusion = 2}),
            slow_run(p, ensemble::slow_sde(), 4, {}));
  const auto still = slow_run(p, ensemble::slow_sde(), 4, {.diffusion = 0});
  CHECK(last(still, "x1").variance() < 1e-30);
  const Problem hyperbola = problem_of(loss::Hyperbola{}, label(1), {2, 0.5});
  same_bits(slow_run(hyperbola, ensemble::slow_ode(), 4, {.drift_2 = 0}),
            slow_run(hyperbola, ensemble::slow_ode(), 4, {}, 1));
}

TEST_CASE("what is observed of a proposed slow SDE is what it has: drift-I, drift-II and diffusion scale") {
  const Problem p = ring();
  const auto theory = slow_run(p, ensemble::slow_sde(), 4, {}),
             proposed = slow_run(p, ensemble::slow_sde(), 4, {.drift_1 = 2, .drift_2 = 3, .diffusion = 5});
  for (std::size_t c = 0; c < theory.drift_1[0].size(); ++c) {
    CHECK(proposed.drift_1[0][c].mean == doctest::Approx(2 * theory.drift_1[0][c].mean).epsilon(1e-13));
    CHECK(proposed.drift_2[0][c].mean == doctest::Approx(3 * theory.drift_2[0][c].mean).epsilon(1e-13));
    CHECK(proposed.diffusion[0][c].mean == doctest::Approx(5 * theory.diffusion[0][c].mean).epsilon(1e-13));
    CHECK(proposed.ito_normal[0][c].mean == doctest::Approx(5 * theory.ito_normal[0][c].mean).epsilon(1e-13));
  }
}

TEST_CASE("a term fit finds the factors of increments that were made from them") {
  // y = sum_j c_j x_j + noise of variance 1 in two directions; z = x. 5 standard errors.
  const double truth[] = {0.5, 2.0, -1.0, 1.0};
  std::vector<verify::TermSums> blocks(64);
  random::NormalStream<double> normals({5, 0, 0}, random::Purpose::slow, 0);
  for (auto& b : blocks)
    for (int i = 0; i < 400; ++i) {
      double x[verify::kDriftTerms], y = normals.next();
      for (std::size_t j = 0; j < verify::kDriftTerms; ++j) y += truth[j] * (x[j] = normals.next());
      for (std::size_t j = 0; j < verify::kDriftTerms; ++j) {
        b.zy[j] += x[j] * y;
        for (std::size_t k = 0; k < verify::kDriftTerms; ++k) b.zx[j * verify::kDriftTerms + k] += x[j] * x[k];
      }
      const double e = std::sqrt(3.0) * normals.next();
      b.squares += e * e;
      b.expected += 1;
    }
  const auto fit = verify::fit_terms(blocks, {0.5, 1, 0, 1, 1});
  const double expected[] = {0.5, 2.0, 0.0, 1.0, 3.0};  // the tangent-normal factor is what comes beside 1
  for (std::size_t j = 0; j < 5; ++j) {
    CAPTURE(fit[j].name);
    CHECK(fit[j].present);
    CHECK(std::abs(fit[j].value - expected[j]) < 5 * fit[j].error);
    CHECK(fit[j].error == doctest::Approx(j == 4 ? 3 * std::sqrt(2.0 / 25600) : 1 / std::sqrt(25600.0)).epsilon(0.3));
  }
  // All others as it has them, drift-II alone would have to be 2.
  CHECK(std::abs(fit[1].alone - 2) < 5 * fit[1].alone_error);
  CHECK_THROWS_AS(verify::fit_terms({blocks.begin(), blocks.begin() + 7}, {1, 1, 1, 1, 1}), std::invalid_argument);
}

TEST_CASE("terms that always come together are not told apart; one that is not there is not fitted") {
  std::vector<verify::TermSums> blocks(16);
  for (auto& b : blocks) {
    b.zx[0] = b.zx[1] = b.zx[4] = b.zx[5] = 1;  // drift-I and drift-II the same
    b.zy[0] = b.zy[1] = 3;
  }
  const auto fit = verify::fit_terms(blocks, {1, 1, 1, 1, 1});
  CHECK(std::isinf(fit[0].error));
  CHECK(std::isinf(fit[1].error));
  CHECK(fit[1].alone == doctest::Approx(2));
  CHECK(!fit[2].present);
  CHECK(!fit[3].present);
  CHECK(!fit[4].present);
}

TEST_CASE("Local SGD on the ring: every term of the theory has factor 1, to the margin of finite eta") {
  const Problem p = ring();
  std::vector<verify::TermSums> blocks;
  for (const long H : {40, 1, 160}) {
    verify::Pairing pairing;
    pairing.algorithm = {.workers = 4, .batch = 4, .seed = 9 + static_cast<std::uint64_t>(H)};
    pairing.algorithm.rate.eta = 0.01;
    pairing.algorithm.sync.H = H;
    pairing.predictions = {verify::theory(pairing.algorithm)};
    for (int i = 1; i <= 6; ++i) pairing.times.push_back(0.06 * i);
    pairing.functions = {verify::coordinate(0), verify::coordinate(1)};
    pairing.burn_in = 0.1;
    pairing.paths = 2048;
    pairing.fit_terms = true;
    const auto r = verify::run_paired(p, pairing, kTwoThreads);
    REQUIRE(r.terms.size() == static_cast<std::size_t>(2048 / kLanes));
    blocks.insert(blocks.end(), r.terms.begin(), r.terms.end());
  }
  for (const auto& f : verify::fit_terms(blocks, {1, 1, 1, 1, 1})) {
    CAPTURE(f.name);
    CHECK(f.present);
    MESSAGE(f.name << " " << f.value << " +- " << f.error);
    CHECK(std::abs(f.value - 1) < 5 * f.error + 0.05);  // eta^(1/2..1) of the theory's own error
  }
}

TEST_CASE("a term fit is refused where increments are not linear in the functions, or the theory is not first") {
  verify::Pairing pairing;
  pairing.algorithm = {.workers = 4, .batch = 4};
  pairing.algorithm.rate.eta = 0.01;
  pairing.algorithm.sync.H = 10;
  pairing.predictions = {verify::theory(pairing.algorithm)};
  pairing.times = {0.1};
  pairing.functions = {verify::square(0)};
  pairing.paths = 64;
  pairing.fit_terms = true;
  CHECK_THROWS_AS(verify::run_paired(ring(), pairing, kTwoThreads), std::invalid_argument);
  pairing.functions = {verify::coordinate(0)};
  pairing.predictions = {verify::theory(pairing.algorithm, {.drift_2 = 2})};
  CHECK_THROWS_AS(verify::run_paired(ring(), pairing, kTwoThreads), std::invalid_argument);
}
