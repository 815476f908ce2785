#include "own_case.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "../experiment/pairs.hpp"
#include "claim.hpp"
#include "other_algorithms.hpp"
#include "own_designs.hpp"
#include "sde/model/point_model.hpp"

namespace sde::claims {

namespace {

using ensemble::Method;
using verify::TestFunction;

/// Why the claims are not measured on an algorithm; empty where they are.
std::string why_not(const ensemble::Problem& p, const Method& m) {
  const auto& a = m.algorithm;
  if (!m.dynamics->is_algorithm()) return "the claims are about the discrete algorithms beside their slow SDEs";
  if (!a.rate.is_constant()) return "its learning rate changes: the claims are measured at a constant one";
  if (a.sync.kind != discrete::Synchronization::Kind::constant || a.sync.switch_step > 0)
    return "its rounds change: the claims are measured at a constant H";
  try {
    (void)a.type->metric(a);
    ensemble::check_slow_sde(p, a.workers);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// Samples drawn are noise on Gamma.
bool samples_move(const ensemble::Problem& p) { return !p.interpolating && p.noise.samples(p.model->residual_count()); }

/// Why algorithm and slow SDE cannot be put on common noise, if so.
std::string why_unpaired(const ensemble::Problem& p) {
  if (p.model->at_points()) return "a network has no Phi here, and no slow SDE to be held against";
  if (p.noise.columns() == 0 && p.noise.sigma2 == 0 && !samples_move(p))
    return "there is no noise on Gamma: nothing moves";
  return "";
}

Own own_of(const discrete::Algorithm& a) {
  const auto H = static_cast<long>(a.steps_in_round());
  // Averaged after every step, Local SGD is SGD with the whole batch.
  return {a.rate.eta, H == 1 ? 1 : a.workers, a.batch, H};
}

/// The observables that can be followed. Those of the file first, then tr Hess and coordinates.
struct Candidates {
  std::vector<TestFunction> all;
  std::size_t own = 0;        ///< the first are the file's
  std::size_t sharpness = 0;  ///< place of tr Hess
};
Candidates candidates(const experiment::Experiment& e) {
  Candidates c;
  for (const auto& polynomial : e.observation.polynomials)
    if (auto g = verify::test_function(polynomial)) c.all.push_back(std::move(*g));
  c.own = c.sharpness = c.all.size();
  c.all.push_back(verify::sharpness());
  constexpr int kCoordinates = 8;
  for (int k = 0; k < std::min(e.problem.model->dim(), kCoordinates); ++k) c.all.push_back(verify::coordinate(k));
  return c;
}

/// The drift, and with rounds drift-II, over the noise that one side has alone: that of the difference is smaller. What
/// is smooth has a martingale control, and is preferred.
double visibility(const Signal& x, bool rounds) {
  const double signal = rounds ? std::min(std::abs(x.change), std::abs(x.limit)) : std::abs(x.change);
  return signal > 1e-9 * x.spread ? signal / (x.single + 1e-12 * x.spread) : 0;
}

std::size_t slow_variable(const Candidates& c, const Pilot& pilot) {
  const auto best = [&](std::size_t first, std::size_t last) {
    std::size_t chosen = first;
    for (std::size_t q = first; q < last; ++q)
      if (visibility(pilot.signals[q], pilot.additional_drift) >
          visibility(pilot.signals[chosen], pilot.additional_drift))
        chosen = q;
    return chosen;
  };
  constexpr double kFaint = 0.05;  // 100,000 paths for a quarter of a margin of 0.05
  if (c.own > 0) {
    const auto own = best(0, c.own);
    if (visibility(pilot.signals[own], pilot.additional_drift) > kFaint) return own;
  }
  return best(0, c.all.size());
}

std::vector<TestFunction> functions_of(const Candidates& c) {
  std::vector<TestFunction> g(c.all.begin(), c.all.begin() + static_cast<std::ptrdiff_t>(c.own));
  g.push_back(verify::sharpness());
  if (c.own > 0) return g;
  for (std::size_t q = c.sharpness + 1; q < std::min<std::size_t>(c.all.size(), c.sharpness + 5); ++q)
    g.push_back(c.all[q]);
  return g;
}

/// A slow SDE to hold against an algorithm, under the name of its rows.
struct Proposal {
  std::string name;
  slow::Factors factors;
};
/// Those of the algorithm's group in the file, each once; the theory's where there is none.
std::vector<Proposal> proposals(const experiment::Experiment& e, const Method& algorithm) {
  std::vector<Proposal> all;
  for (const auto i : experiment::slow_sdes_beside(e, algorithm)) {
    const auto& m = e.methods[i];
    if (std::none_of(all.begin(), all.end(), [&](const auto& x) { return x.factors == m.factors; }))
      all.push_back({m.name, m.factors});
  }
  if (all.empty()) all.push_back({"", {}});
  if (all.size() == 1) all.front().name = algorithm.name;
  return all;
}

/// What the cases of all algorithms of a file have.
Case begun_case(const experiment::Experiment& e, const Proposal& proposal, int stream) {
  Case c;
  c.name = proposal.name;
  c.factors = proposal.factors;
  c.stream = stream;
  c.problem = e.problem;
  c.start = e.problem.start;
  c.problem.start = c.problem.start_on_gamma;
  c.most_burn_in = e.observation.times.back();
  return c;
}

/// An algorithm that claim 14 alone is about.
Case case_of_other(const experiment::Experiment& e, const Method& m, const Proposal& proposal, int stream) {
  Case c = begun_case(e, proposal, stream);
  const Candidates g = candidates(e);
  c.slow_variable = g.all[g.own > 0 ? 0 : g.sharpness];
  c.functions = functions_of(g);
  const auto terms = c.problem.terms();
  terms->compute(c.problem.start_on_gamma.data());
  c.diffuses = terms->tangent_noise().norm() > 1e-9;
  auto& x = c.designs.algorithms;
  x.all = {{m.algorithm.type->label(m.algorithm), m.algorithm}};
  x.time = std::min(e.observation.times.back(), 0.2 * c.most_burn_in + 0.2);
  if (const auto metric = m.algorithm.type->metric(m.algorithm)) {
    auto& unit = x.all.front().unit;
    unit = metric->root(metric->start).cwiseAbs2().mean();
    x.time *= unit * unit;
  }
  x.margin = e.verify.margin("algorithms", x.margin);
  for (const auto& claim : all())
    if (claim.number != 14)
      c.not_applicable[claim.number] = "it is about SGD and Local SGD: claim 14 is about this algorithm";
  return c;
}

Case case_of(Setting s, const experiment::Experiment& e, const Method& m, const Proposal& proposal, int stream) {
  Case c = begun_case(e, proposal, stream);
  s.stream = stream;
  const double time = c.most_burn_in;
  const Own own = own_of(m.algorithm);
  const Candidates g = candidates(e);
  const Pilot pilot = pilot_of(s, c, own, time, g.all);
  c.diffuses = pilot.diffuses;
  c.additional_drift = pilot.additional_drift;
  const auto slow = slow_variable(g, pilot);
  c.slow_variable = g.all[slow];
  c.functions = functions_of(g);
  const auto& sharpness = pilot.signals[g.sharpness];
  c.sharpness_changes = visibility(sharpness, false) > 0.05;
  const auto& noise = e.problem.noise;
  c.tangent_normal =
      noise.rank > 0 && noise.state_rank == 0 && noise.sigma2 == 0 && !samples_move(e.problem) && own.workers > 1;
  design_claims(c, own, pilot, slow, g.sharpness, time, e.verify);
  c.not_applicable[14] = "it is about other algorithms: claims 2 to 9 are about this one";
  for (const int number : {10, 11, 12})
    c.not_applicable[number] = "it compares methods, and the file has no [verify.comparison]";
  c.not_applicable[1] = "it is about the formulas, not about an algorithm: `sde verify 1` measures them on every loss";
  return c;
}

}  // namespace

OwnCases own_cases(const Setting& s, const experiment::Experiment& e) {
  OwnCases own;
  const auto unpaired = why_unpaired(e.problem);
  int stream = 0;
  for (const auto& m : e.methods) {
    if (m.dynamics->on_gamma()) continue;
    const auto why = unpaired.empty() ? why_not(e.problem, m) : unpaired;
    if (!why.empty()) {
      own.others.push_back({m.name, why});
      continue;
    }
    for (const auto& proposal : proposals(e, m))
      own.cases.push_back(std::make_shared<const Case>(of_claim_14(*m.algorithm.type)
                                                           ? case_of_other(e, m, proposal, stream++)
                                                           : case_of(s, e, m, proposal, stream++)));
  }
  if (own.cases.empty() && own.others.empty())
    throw InputError(fmt::format(
        "{}: has slow SDEs alone: expected a discrete algorithm, e.g. [[method]] with kind = \"local_sgd\"", e.name));
  return own;
}

}  // namespace sde::claims
