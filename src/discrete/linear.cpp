#include "sde/discrete/linear.hpp"

#include <fmt/format.h>

#include "sde/core/error.hpp"
#include "sde/discrete/linear_updates.hpp"
#include "sde/slow/tabulated_weights.hpp"

namespace sde::discrete {

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// parameters: kAlike, s, q, H, A, C, R, synchronize, synchronize_apart, consensus; or kSlots, S, P, consensus, then A,
/// C, R of each of P steps, with a gradient for each worker.
constexpr double kAlike = 0, kSlots = 1;

void append(std::vector<double>& to, const MatrixXd& m) {
  const Rows rows = m;
  to.insert(to.end(), rows.data(), rows.data() + rows.size());
}

class Reader {
 public:
  explicit Reader(const std::vector<double>& from) : from_(from) {}
  double number() { return from_.at(at_++); }
  MatrixXd matrix(Eigen::Index rows, Eigen::Index columns) {
    const auto size = static_cast<std::size_t>(rows * columns);
    if (rows < 0 || columns < 0 || at_ + size > from_.size())
      throw InputError("algorithm.parameters: expected the matrices of own updates, as the keys of 'linear' give them");
    const MatrixXd m = Eigen::Map<const Rows>(from_.data() + at_, rows, columns);
    at_ += size;
    return m;
  }

 private:
  const std::vector<double>& from_;
  std::size_t at_ = 0;
};

bool alike(const Algorithm& a) { return a.parameters.at(0) == kAlike; }

slow::ExchangeableAlgorithm exchangeable(const Algorithm& a) {
  Reader r(a.parameters);
  r.number();
  slow::ExchangeableAlgorithm e;
  const auto s = static_cast<Eigen::Index>(r.number()), q = static_cast<Eigen::Index>(r.number());
  e.workers = a.workers;
  e.steps = static_cast<long>(r.number());
  e.eta = e.batch = 1;
  e.A = r.matrix(s, s);
  e.C = r.matrix(s, 1);
  e.R = r.matrix(s, 1);
  e.synchronize = r.matrix(s + q, s + q);
  e.synchronize_apart = r.matrix(s, s);
  e.consensus = r.matrix(s + q, 1);
  return e;
}

std::vector<double> packed(const slow::ExchangeableAlgorithm& e) {
  const auto s = e.A.rows();
  std::vector<double> p{kAlike, static_cast<double>(s), static_cast<double>(e.consensus.size() - s),
                        static_cast<double>(e.steps)};
  for (const MatrixXd& m :
       {e.A, MatrixXd(e.C), MatrixXd(e.R), e.synchronize, e.synchronize_apart, MatrixXd(e.consensus)})
    append(p, m);
  return p;
}

/// Of "consensus", A, C, R: numbers row by row, step by step.
std::vector<double> slots_given(Keys& keys, int workers) {
  const auto consensus =
      keys.numbers({"consensus", "instead of updates: 1 for an iterate, 0 for a momentum, a slot each"});
  const auto A = keys.numbers({"A", "z <- A z - eta C g: S x S, row by row (of several steps one after another)"});
  const auto C = keys.numbers({"C", "S x K, a gradient for each worker"});
  const auto R = keys.numbers({"R", "K x S: gradients are taken at R z"});
  const auto S = consensus.size(), K = static_cast<std::size_t>(workers);
  if (A.empty() && C.empty() && R.empty() && S == 0) return {};
  if (S == 0) keys.fail("consensus", "missing: expected 1 or 0 for each slot");
  if (A.empty() || A.size() % (S * S) != 0)
    keys.fail("A", fmt::format("expected {0} x {0} numbers for each step, got {1}", S, A.size()));
  const std::size_t P = A.size() / (S * S);
  if (C.size() != P * S * K)
    keys.fail("C", fmt::format("expected {} x {} numbers for each of {} steps, got {}", S, K, P, C.size()));
  if (R.size() != P * S * K)
    keys.fail("R", fmt::format("expected {} x {} numbers for each of {} steps, got {}", K, S, P, R.size()));
  std::vector<double> p{kSlots, static_cast<double>(S), static_cast<double>(P)};
  p.insert(p.end(), consensus.begin(), consensus.end());
  for (std::size_t k = 0; k < P; ++k) {
    const auto part = [&](const std::vector<double>& v) {
      const auto n = static_cast<std::ptrdiff_t>(v.size() / P), at = static_cast<std::ptrdiff_t>(k) * n;
      p.insert(p.end(), v.begin() + at, v.begin() + at + n);
    };
    part(A), part(C), part(R);
  }
  return p;
}

}  // namespace

void Linear::read(Keys& keys, Algorithm& a, bool) const {
  LinearUpdates u;
  u.updates = keys.text({"updates", "a worker's step, such as \"w <- 0.9 w - eta g; x <- x + w\""}, "");
  u.gradient_at =
      keys.text({"gradient_at", "where g is taken, a combination of slots (default: the first iterate)"}, "");
  u.momenta = keys.texts({"momentum_slots", "of updates: slots that rest at 0; the others are iterates"});
  u.shared = keys.texts({"shared", "slots that are kept once, for synchronize"});
  u.synchronize =
      keys.text({"synchronize",
                 "after H steps of updates, such as \"x <- mean(x)\"; workers' slots and shared ones (default: none)"},
                "");
  u.steps = keys.integer({"H", "local steps a round; under qsr and inverse the least"}, 1, 1, 100'000);
  u.workers = a.workers;
  auto given = slots_given(keys, a.workers);
  if (u.updates.empty() == given.empty()) {
    if (given.empty() && !keys.has("kind")) {  // asked for descriptions alone
      a.parameters = packed(matrices_of({.updates = "x <- x - eta g"}));
      return;
    }
    keys.fail("updates", given.empty() ? "missing: expected updates, or the matrices consensus, A, C, R"
                                       : "expected either updates or matrices, got both");
  }
  if (given.empty() && a.workers > 1 && u.synchronize.empty())
    keys.fail("synchronize", fmt::format("missing: {} workers that never meet are no algorithm: expected, for example, "
                                         "\"x <- mean(x)\"",
                                         a.workers));
  try {
    a.parameters = given.empty() ? packed(matrices_of(u)) : given;
    slow_sde(a, 0);  // refuses what is no algorithm
  } catch (const InputError& e) {
    keys.fail(given.empty() ? "updates" : "A", e.what());
  }
}

void Linear::check(const Algorithm& a) const {
  if (a.parameters.size() < 4)
    refuse("parameters", "expected the matrices of own updates", static_cast<std::int64_t>(a.parameters.size()));
  slow_sde(a, 0);
}

Round Linear::round(const Algorithm& a, std::int64_t k) const {
  const auto period = static_cast<std::int64_t>(alike(a) ? a.parameters.at(3) : a.parameters.at(2));
  if (period == 1) return LinearType::round(a, k);
  const std::int64_t left = period - k % period;  // a schedule may end within a round
  return {a.workers, a.rate.is_constant() ? left : std::min(left, std::max<std::int64_t>(1, a.rate.steps - k))};
}

slow::LinearAlgorithm Linear::matrices(const Algorithm& a) const {
  if (alike(a)) return expanded(exchangeable(a));
  Reader r(a.parameters);
  r.number();
  const auto S = static_cast<Eigen::Index>(r.number()), P = static_cast<Eigen::Index>(r.number()),
             K = Eigen::Index(a.workers);
  slow::LinearAlgorithm m;
  m.eta = m.batch = 1;
  m.local_steps = static_cast<double>(P);
  m.consensus = r.matrix(S, 1);
  for (Eigen::Index k = 0; k < P; ++k) {
    MatrixXd A = r.matrix(S, S), C = r.matrix(S, K), R = r.matrix(K, S);
    m.period.push_back({std::move(A), std::move(C), std::move(R)});
  }
  return m;
}

std::int64_t Linear::period(const Algorithm& a, std::int64_t) const { return alike(a) ? exchangeable(a).steps : 1; }

const slow::TabulatedWeights& Linear::weights(const Algorithm& a, std::int64_t H) const {
  return alike(a) ? slow::tabulated(exchangeable(a)) : LinearType::weights(a, H);
}

}  // namespace sde::discrete
