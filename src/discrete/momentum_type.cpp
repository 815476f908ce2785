#include "sde/discrete/momentum_type.hpp"

#include <fmt/format.h>

#include "sde/core/error.hpp"
#include "sde/slow/linear_algorithm.hpp"
#include "sde/slow/tabulated_weights.hpp"

namespace sde::discrete {

namespace {

void expect_fraction(const char* name, double value) {
  if (!(value >= 0 && value < 1))
    throw InputError(fmt::format(
        "algorithm.{}: expected a number from 0 and below 1 (at 1 a momentum never dies out), got {}", name, value));
}

double read_fraction(Keys& keys, Key key, double otherwise) {
  const double value = keys.number(key, otherwise);
  if (!(value >= 0 && value < 1))
    keys.expected(key.name, "a number from 0 and below 1 (at 1 a momentum never dies out)", value);
  return value;
}

}  // namespace

slow::ExchangeableAlgorithm MomentumSgd::matrices(std::int64_t H) const {
  slow::ExchangeableAlgorithm e;
  e.workers = workers;
  e.steps = H;
  e.eta = e.batch = 1;
  e.A = Eigen::MatrixXd{{1, again}, {0, beta}};
  e.C = Eigen::VectorXd{{direct, 1}};
  e.R = Eigen::VectorXd{{1, 0}};
  const double kept = at == AtSynchronization::reset ? 0 : 1;
  const Eigen::RowVector4d anchor{outer_direct, 0, 1 - outer_direct, outer_again};
  e.synchronize = Eigen::MatrixXd(4, 4);
  e.synchronize << anchor, Eigen::RowVector4d{0, kept, 0, 0}, anchor, Eigen::RowVector4d{1, 0, -1, mu};
  e.synchronize_apart = Eigen::MatrixXd{{0, 0}, {0, at == AtSynchronization::kept ? 1.0 : 0.0}};
  e.consensus = Eigen::VectorXd{{1, 0, 1, 0}};
  return e;
}

void MomentumType::set(Algorithm& a, const Settings& s) {
  a.parameters = {s.beta, static_cast<double>(s.nesterov),      static_cast<double>(s.at), s.gamma,
                  s.mu,   static_cast<double>(s.outer_nesterov)};
}
MomentumType::Settings MomentumType::settings(const Algorithm& a) {
  const auto& p = a.parameters;
  return {p.at(0), p.at(1) != 0, static_cast<MomentumSgd::AtSynchronization>(p.at(2)), p.at(3), p.at(4), p.at(5) != 0};
}

MomentumSgd MomentumType::rule(const Algorithm& a) {
  const auto s = settings(a);
  MomentumSgd r;
  r.set_inner(s.nesterov, s.beta);
  r.set_outer(s.outer_nesterov, s.gamma, s.mu);
  r.at = s.at;
  r.workers = a.workers;
  return r;
}

void MomentumType::check(const Algorithm& a) const {
  if (a.parameters.size() != 6)
    refuse("parameters", "expected the 6 settings of momenta, as the algorithm's keys set them",
           static_cast<std::int64_t>(a.parameters.size()));
  const auto s = settings(a);
  expect_fraction("momentum", s.beta);
  expect_fraction("mu", s.mu);
  const bool same_rounds = a.rate.is_constant() || a.sync.kind == Synchronization::Kind::constant;
  if (s.at == MomentumSgd::AtSynchronization::reset && s.beta > 0 && !same_rounds)
    throw InputError(
        "algorithm.momenta: reset with rounds that change their length: the effective learning rate changes with them: "
        "expected averaged or kept, or sync = \"constant\"");
  if (!(s.gamma > 0)) throw InputError(fmt::format("algorithm.gamma: expected a number above 0, got {}", s.gamma));
}

Round MomentumType::round(const Algorithm& a, std::int64_t k) const {
  const auto s = settings(a);
  const bool outer = s.gamma != 1 || s.mu != 0 || (a.workers > 1) || s.at == MomentumSgd::AtSynchronization::reset;
  constexpr std::int64_t kChunk = 1024;
  if (!outer) return {1, kChunk, false};
  return {a.workers, a.round_length(k)};
}

double MomentumType::read_beta(Keys& keys, double otherwise) {
  return read_fraction(keys, {"momentum", "of a worker's steps (beta)"}, otherwise);
}
MomentumType::Settings MomentumType::read_inner(Keys& keys, double beta, const char* at) {
  using At = MomentumSgd::AtSynchronization;
  Settings s{.beta = read_beta(keys, beta)};
  s.nesterov = keys.boolean({"nesterov", "Nesterov's momentum for the workers, not heavy ball"}, false);
  const auto text = keys.choice({"momenta", "what becomes of the workers' momenta at a synchronization"}, at,
                                {"averaged", "kept", "reset"});
  s.at = text == "averaged" ? At::averaged : text == "kept" ? At::kept : At::reset;
  return s;
}
std::string MomentumType::outer_label(const char* name, const Algorithm& a) {
  const auto s = settings(a);
  return fmt::format("{}, gamma = {}, mu = {}, {}", name, shortest(s.gamma), shortest(s.mu), round_label(a));
}
double MomentumType::read_gamma(Keys& keys, double otherwise) {
  return keys.positive({"gamma", "outer learning rate, over the workers' mean displacement"}, otherwise);
}
double MomentumType::read_mu(Keys& keys, double otherwise) {
  return read_fraction(keys, {"mu", "outer momentum"}, otherwise);
}

std::int64_t MomentumType::period(const Algorithm& a, std::int64_t k) const {
  return round(a, k).synchronizes ? a.H(k) : 1;
}

/// u, then v of each worker: between rounds workers and anchor are at x, and the slot of a worker's momentum is w =
/// -eta v.
std::vector<double> MomentumType::slow_variable(const Algorithm& a, std::int64_t step) const {
  const auto l = slow::conserved(slow::average_of(rule(a).matrices(period(a, step))));
  const double outer = l[3], inner = -a.rate(step) * l[1] / a.workers;
  if (outer == 0 && inner == 0) return {};
  std::vector<double> weights(1, outer);
  weights.resize(1 + static_cast<std::size_t>(a.workers), inner);
  return weights;
}

const slow::TabulatedWeights& MomentumType::weights(const Algorithm& a, std::int64_t H) const {
  return slow::tabulated(rule(a).matrices(H));
}

}  // namespace sde::discrete
