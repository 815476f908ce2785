#include "registry.hpp"

#include <fmt/format.h>

#include "losses.hpp"

namespace sde::experiment {

namespace {

slow::Vector vector(std::initializer_list<double> v) {
  slow::Vector out(static_cast<Eigen::Index>(v.size()));
  std::copy(v.begin(), v.end(), out.begin());
  return out;
}

/// Small random start, the usual initialization scale for networks.
slow::Vector random_start(int d, double scale, std::uint64_t seed) {
  const auto z = loss::normal_data(seed, 100, d);
  return scale * Eigen::Map<const slow::Vector>(z.data(), d);
}

std::uint64_t data_seed(Section& s) {
  return static_cast<std::uint64_t>(s.integer({"data_seed", ""}, 1, 0, std::numeric_limits<int>::max()));
}

NamedLoss valley(Section& s) {
  using P = loss::Valley::Profile;
  const bool quadratic = s.choice({"profile", ""}, "quadratic", {"quadratic", "exponential"}) == "quadratic";
  return {model_of(loss::Valley{quadratic ? P::quadratic : P::exponential, s.number({"c", ""}, 1.0)}),
          vector({2.0, 0.0})};
}
NamedLoss hyperbola(Section&) { return {model_of(loss::Hyperbola{}), vector({3.0, 1.0 / 3})}; }
NamedLoss chain(Section& s) {
  const int depth = static_cast<int>(s.integer({"depth", ""}, 3, 2, 1000));
  slow::Vector start = slow::Vector::Ones(depth);
  start[0] = 2;
  start[depth - 1] = 0.5;
  return {model_of(loss::Chain{depth}), start};
}
NamedLoss sphere(Section& s) {
  const int d = static_cast<int>(s.integer({"d", ""}, 3, 2, 100'000));
  return {model_of(loss::Sphere{d}), slow::Vector::Unit(d, 0)};
}
NamedLoss ring(Section& s) {
  const double a = s.number({"a", ""}, 0.5);
  if (!(std::abs(a) < 1))
    s.fail("a", fmt::format("expected |a| < 1 (1 + a x must stay positive on the circle), got {}", a));
  return {model_of(loss::Ring{a}), vector({1.0, 0.0})};
}
NamedLoss flat(Section& s) {
  const int d = static_cast<int>(s.integer({"d", ""}, 4, 2, 10'000));
  const int n = static_cast<int>(s.integer({"n", ""}, 2, 1, 10'000));
  if (n >= d) s.fail("n", fmt::format("expected fewer equations than unknowns (n < d = {}), got {}", d, n));
  return {model_of(loss::Flat(n, d, data_seed(s))), slow::Vector::Zero(d)};
}
NamedLoss diagonal_network(Section& s) {
  const int p = static_cast<int>(s.integer({"features", ""}, 20, 1, 100'000));
  const int n = static_cast<int>(s.integer({"n", ""}, 10, 1, 10'000));
  const int sparsity = static_cast<int>(s.integer({"sparsity", ""}, 2, 1, p));
  const double scale = s.positive({"start_scale", ""}, 0.5);
  return {model_of(loss::DiagonalNetwork(n, p, sparsity, data_seed(s))), slow::Vector::Constant(2 * p, scale)};
}
NamedLoss tanh_network(Section& s) {
  const int n = static_cast<int>(s.integer({"n", ""}, 16, 1, 65'535));
  const int inputs = static_cast<int>(s.integer({"inputs", ""}, 2, 1, 10'000));
  const int width = static_cast<int>(s.integer({"width", ""}, 10, 1, 100'000));
  const int teacher = static_cast<int>(s.integer({"teacher_width", ""}, 2, 1, 10'000));
  const auto seed = data_seed(s);
  const loss::TanhNetwork network(n, inputs, width, teacher, seed);
  const auto start = network.interpolating_start(s.positive({"start_scale", ""}, 1.0), seed);
  return {model_of(network), Eigen::Map<const slow::Vector>(start.data(), network.dim())};
}
NamedLoss matrix_sensing(Section& s) {
  const int n = static_cast<int>(s.integer({"n", ""}, 5, 1, 10'000));
  const int size = static_cast<int>(s.integer({"size", ""}, 4, 1, 1000));
  const int rank = static_cast<int>(s.integer({"rank", ""}, size, 1, 1000));
  const int truth = static_cast<int>(s.integer({"true_rank", ""}, 1, 1, size));
  const auto seed = data_seed(s);
  return {model_of(loss::MatrixSensing(n, size, rank, truth, seed)),
          random_start(size * rank, s.positive({"start_scale", ""}, 1.0), seed)};
}

}  // namespace

const std::vector<LossEntry>& losses() {
  static const std::vector<LossEntry> table{
      {"valley", "1/2 h(u) v^2", "profile = quadratic (h = 1 + u^2) | exponential (h = exp(c u)), c", valley},
      {"hyperbola", "1/2 (x y - 1)^2", "", hyperbola},
      {"chain", "1/2 (w_1 ... w_D - 1)^2", "depth", chain},
      {"sphere", "1/4 (|x|^2 - 1)^2", "d", sphere},
      {"ring", "1/2 (1 + a x)(x^2 + y^2 - 1)^2", "a", ring},
      {"flat", "1/(2n) |X theta - y|^2, n < d", "n, d, data_seed", flat},
      {"diagonal_network", "1/(2n) sum_i (<u*u - v*v, x_i> - y_i)^2", "n, features, sparsity, start_scale, data_seed",
       diagonal_network},
      {"tanh_network", "1/(2n) sum_i (sum_k a_k tanh<w_k, x_i> - teacher(x_i))^2",
       "n, inputs, width, teacher_width, start_scale, data_seed", tanh_network},
      {"matrix_sensing", "1/(2n) sum_i (<A_i, U U^T> - y_i)^2", "n, size, rank, true_rank, start_scale, data_seed",
       matrix_sensing},
  };
  return table;
}

NamedLoss make_loss(Section& section) {
  std::vector<std::string> names;
  for (const auto& e : losses()) names.push_back(e.name);
  const std::string name = section.choice({"name", ""}, "", names);
  for (const auto& e : losses())
    if (e.name == name) {
      auto loss = e.make(section);
      section.finish();
      return loss;
    }
  throw InputError("no loss");
}

}  // namespace sde::experiment
