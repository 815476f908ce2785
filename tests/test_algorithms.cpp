// Algorithms: the step loop against loops written out, state beside the position, an outer step of one worker, and that
// settings which make no sense are refused by name.
#include <doctest/doctest.h>

#include "problems.hpp"
#include "sde/core/error.hpp"
#include "sde/discrete/algorithms.hpp"
#include "sde/model/make_model.hpp"
#include "sde/verify/paired.hpp"

using namespace sde;
using namespace sde::test;
using discrete::Algorithm;

namespace {

/// x after `steps` steps of gradient descent, the rate of step k being rate(k).
Vector descend(const LossModel& model, Vector x, const discrete::LearningRate& rate, std::int64_t steps) {
  Vector g(x.size());
  for (std::int64_t k = 0; k < steps; ++k) {
    model.gradient(x.data(), g.data());
    x -= rate(k) * g;
  }
  return x;
}

Vector first_lane(const std::vector<double>& x, int d) {
  Vector v(d);
  for (int k = 0; k < d; ++k) v[k] = x[static_cast<std::size_t>(k * kLanes)];
  return v;
}

std::vector<double> in_lanes(const Vector& x, int size) {
  std::vector<double> state(static_cast<std::size_t>(size * kLanes), 0.0);
  for (Eigen::Index k = 0; k < x.size(); ++k)
    for (int l = 0; l < kLanes; ++l) state[static_cast<std::size_t>(k * kLanes + l)] = x[k];
  return state;
}

/// The message of the InputError that f() throws; empty without one.
template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("H under QSR and inverse proportion is rounded down") {
  using discrete::Synchronization;
  const Synchronization inverse{.kind = Synchronization::Kind::inverse, .H = 1, .beta = 0.5};
  CHECK(inverse(0, 0.15) == 3);  // 3.33
  CHECK(inverse(0, 0.13) == 3);  // 3.85
  const Synchronization qsr{.kind = Synchronization::Kind::qsr, .H = 1, .beta = 0.5};
  CHECK(qsr(0, 0.15) == 11);  // 11.1
  CHECK(qsr(0, 0.13) == 14);  // 14.8
}

TEST_CASE("without noise every algorithm with a changing rate is gradient descent, step for step") {
  const auto model = model_of(loss::Hyperbola{});
  const Vector start = Eigen::Vector2d(1.8, 0.9);
  for (const auto kind :
       {discrete::LearningRate::Kind::cosine, discrete::LearningRate::Kind::linear, discrete::LearningRate::Kind::step})
    for (const auto* type : discrete::Algorithms::all()) {
      CAPTURE(type->name());
      if (!type->has_conventional_sde()) continue;  // momenta and their kin: tests/test_linear_methods.cpp
      Algorithm a{.type = type, .workers = type == &discrete::sgd ? 1 : 3, .batch = 3};
      a.rate = {.kind = kind, .eta = 0.05, .steps = 40, .warmup = 3, .milestones = {0.3, 0.6}};
      a.sync.H = 4;
      if (type == &discrete::qsr) a.sync.kind = discrete::Synchronization::Kind::qsr, a.sync.beta = 0.1;
      if (type == &discrete::post_local_sgd) a.sync.switch_step = 10;
      discrete::check(a);
      auto x = in_lanes(start, 2);
      double spread[kLanes];
      model->discrete_kernel({}, a)->advance(x.data(), 0, 0, a.rate.steps, spread);
      const Vector expected = descend(*model, start, a.rate, a.rate.steps), got = first_lane(x, 2);
      // The workers' average rounds once a round; a rate taken one step late changes the end by about 1e-3.
      CHECK((got - expected).norm() < 1e-13);
      auto late = a.rate;
      late.steps += 1;
      CHECK((descend(*model, start, late, a.rate.steps) - expected).norm() > 1e-5);
    }
}

namespace {

/// Heavy ball w <- beta w - eta g, x <- x + w, by one worker or several that keep their w.
struct HeavyBall {
  static constexpr int kSharedSlots = 0, kWorkerSlots = 1;
  double beta = 0.9;
  template <class Gradient, class T, class Team>
  void step(Gradient& gradient, int d, const discrete::Position<T>& y, T* w, T* g, const T& eta, std::int64_t,
            const Team&) const {
    gradient(y.x, g);
    for (int k = 0; k < d; ++k) {
      w[k] = T(beta) * w[k] - eta * g[k];
      y.move(k, w[k]);
    }
  }
  template <class T, class Displacement, class Team>
  void synchronize(int d, const discrete::Position<T>& x, T*, Displacement displacement, const Team&) const {
    for (int j = 0; j < d; ++j) x.move(j, displacement(j));
  }
};

/// Lookahead: the position goes half of the way, and the last displacement is kept.
struct Lookahead {
  static constexpr int kSharedSlots = 1, kWorkerSlots = 0;
  template <class Gradient, class T, class Team>
  void step(Gradient& gradient, int, const discrete::Position<T>& y, T*, T* g, const T& eta, std::int64_t,
            const Team&) const {
    gradient.descend(y, g, eta);
  }
  template <class T, class Displacement, class Team>
  void synchronize(int d, const discrete::Position<T>& x, T* kept, Displacement displacement, const Team&) const {
    for (int j = 0; j < d; ++j) {
      kept[j] = displacement(j);
      x.move(j, T(0.5) * kept[j]);
    }
  }
};

template <class Rule>
std::vector<double> through(const Rule& rule, const discrete::Rounds& rounds, int batch, const Vector& start) {
  using T = Pack<double, 1>;
  const loss::Hyperbola loss;
  const Noise none;
  discrete::Stepping stepping;
  stepping.batch = batch;
  discrete::RoundLoop<loss::Hyperbola, T, Rule> loop(loss, none.view(), rule, stepping);
  std::vector<T> x(static_cast<std::size_t>(discrete::shape_of<T>(rule, 2, rounds.workers).size()), T(0.0));
  x[0] = start[0], x[1] = start[1];
  T spread(0.0);
  loop.advance(x.data(), 0, rounds, spread);
  std::vector<double> plain;
  plain.reserve(x.size());
  for (const T& v : x) plain.push_back(lane(v, 0));
  return plain;
}

}  // namespace

TEST_CASE("what a worker keeps beside its position lasts from round to round") {
  const Vector start = Eigen::Vector2d(1.8, 0.9);
  const auto model = model_of(loss::Hyperbola{});
  Vector x = start, w = Vector::Zero(2), g(2);
  for (int k = 0; k < 12; ++k) {
    model->gradient(x.data(), g.data());
    w = 0.9 * w - 0.02 * g;
    x += w;
  }
  for (const int workers : {1, 3}) {
    const auto state = through(HeavyBall{}, {0, 12, workers, 4, workers > 1, 0.02}, workers, start);
    REQUIRE(state.size() == 2u * (1 + static_cast<unsigned>(workers)));
    for (int k = 0; k < 2; ++k) {
      CHECK(state[static_cast<std::size_t>(k)] == doctest::Approx(x[k]).epsilon(1e-13));
      for (int worker = 0; worker < workers; ++worker)
        CHECK(state[static_cast<std::size_t>(2 * (worker + 1) + k)] == doctest::Approx(w[k]).epsilon(1e-12));
    }
  }
}

TEST_CASE("one worker with an outer step is not SGD") {
  const Vector start = Eigen::Vector2d(1.8, 0.9);
  const auto model = model_of(loss::Hyperbola{});
  Vector x = start, moved(2);
  for (int round = 0; round < 3; ++round) {
    moved = descend(*model, x, {.eta = 0.02}, 4) - x;
    x += 0.5 * moved;
  }
  const auto state = through(Lookahead{}, {0, 12, 1, 4, true, 0.02}, 1, start);
  for (int k = 0; k < 2; ++k) {
    CHECK(state[static_cast<std::size_t>(k)] == doctest::Approx(x[k]).epsilon(1e-13));
    CHECK(state[static_cast<std::size_t>(2 + k)] == doctest::Approx(moved[k]).epsilon(1e-12));
  }
}

TEST_CASE("gradients are counted for the workers that compute them") {
  Algorithm a{.type = &discrete::post_local_sgd, .workers = 4, .batch = 4};
  a.sync.switch_step = 41;
  CHECK(a.type->gradients(a, 40) == 40);
  CHECK(a.type->gradients(a, 111) == 41 + 4 * 70);
  a.type = &discrete::local_sgd;
  CHECK(a.type->gradients(a, 111) == 444);
}

TEST_CASE("the list finds an algorithm's update rule by name, and every name is one") {
  std::vector<std::string> names;
  for (const auto* type : discrete::Algorithms::all()) {
    CHECK(std::find(names.begin(), names.end(), type->name()) == names.end());
    names.emplace_back(type->name());
    Defaults defaults;
    Algorithm a{.type = type};
    type->read(defaults, a, true);
    if (type->in_metric()) type->set_noise(a, {1, 1});
    CHECK(discrete::Algorithms::with_rule(a, [](const auto&) { return true; }));
  }
  CHECK(names.size() >= 4);
}

TEST_CASE("a problem, a method or an observation that makes no sense is refused by name") {
  const auto good = problem_of(loss::Ring{0.5}, constant({0.5, 1.0, -0.1, 0.6}, 2), {0.0, 1.0});
  Method sgd;
  set(sgd, Kind::sgd);
  Method local;
  set(local, Kind::local_sgd);
  local.algorithm.workers = local.algorithm.batch = 4;
  const auto observation = at({0, 0.01}, {"x1"}, 2);
  const auto run = [&](const Problem& p, const Method& m, const Observation& o) {
    return refusal([&] { ensemble::run(p, m, o, kTwoThreads); });
  };
  const auto with = [](auto value, auto change) {
    change(value);
    return value;
  };
  const auto problem = [&](auto change) { return run(with(good, change), local, observation); };
  const auto method = [&](const Method& m, auto change) { return run(good, with(m, change), observation); };
  CHECK(run(good, local, observation) == "");

  CHECK(problem([](auto& p) { p.noise.factor.pop_back(); }) == "noise.factor: expected rank * d = 4 numbers, got 3");
  CHECK(problem([](auto& p) { p.noise.sigma2 = -1; }).find("noise.sigma2") == 0);
  CHECK(problem([](auto& p) { p.start = Vector::Ones(3); }) == "problem.start: expected 2 coordinates, got 3");
  CHECK(problem([](auto& p) { p.start_on_gamma.resize(0); }).find("problem.start_on_gamma") == 0);
  CHECK(problem([](auto& p) { p.model.reset(); }).find("problem.model") == 0);
  CHECK(method(local, [](auto& m) {
          m.algorithm.batch = 6;
        }).find("algorithm.batch: expected a multiple of workers = 4") == 0);
  CHECK(method(local, [](auto& m) { m.algorithm.workers = 0; }) == "algorithm.workers: expected at least 1, got 0");
  CHECK(method(local, [](auto& m) { m.algorithm.sync.H = 0; }) == "algorithm.sync.H: expected at least 1, got 0");
  CHECK(method(local, [](auto& m) { m.algorithm.rate.eta = 0; }).find("algorithm.rate.eta") == 0);
  CHECK(method(local, [](auto& m) { m.paths = 0; }).find("method.paths") == 0);
  CHECK(method(sgd, [](auto& m) {
          m.algorithm.workers = m.algorithm.batch = 4;
        }).find("algorithm.workers: SGD takes the whole batch") == 0);
  CHECK(method(local, [](auto& m) { m.dynamics = &ensemble::slow_sde(), m.dt = 0; }).find("method.dt") == 0);
  CHECK(method(local, [](auto& m) { m.dynamics = &ensemble::slow_ode(); }).find("method: '' is a slow ODE") == 0);
  CHECK(run(good, local, with(observation, [](auto& o) { o.times = {0.1, 0}; })).find("observation.times") == 0);
  CHECK(run(good, local, with(observation, [](auto& o) { o.components = 3; })).find("observation.components") == 0);
  const auto three = at({0, 0.01}, {"x3"}, 3);
  CHECK(run(good, local, three).find("observation.polynomials: 'x3'") == 0);

  // The same by the other doors.
  auto short_factor = good;
  short_factor.noise.factor.pop_back();
  CHECK(refusal([&] { short_factor.terms(); }).find("noise.factor") == 0);
  CHECK(refusal([&] {
          short_factor.model->discrete_kernel(short_factor.noise, local.algorithm);
        }).find("noise.factor") == 0);
  verify::Pairing pairing;
  pairing.algorithm = local.algorithm;
  pairing.predictions = {verify::theory(local.algorithm)};
  pairing.times = {0.01};
  pairing.functions = {verify::coordinate(0)};
  CHECK(refusal([&] { verify::run_paired(short_factor, pairing, kTwoThreads); }).find("noise.factor") == 0);
  pairing.algorithm.batch = 6;
  CHECK(refusal([&] { verify::run_paired(good, pairing, kTwoThreads); }).find("algorithm.batch") == 0);
}
