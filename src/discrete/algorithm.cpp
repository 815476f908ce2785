#include "sde/discrete/algorithm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sde/core/error.hpp"
#include "sde/discrete/local_sgd.hpp"
#include "sde/slow/moving_metric.hpp"

namespace sde::discrete {

std::optional<slow::MovingMetric> AlgorithmType::metric(const Algorithm&) const { return std::nullopt; }

const AlgorithmType* Algorithm::default_type() { return &local_sgd; }

std::int64_t Algorithm::peak_steps_in_round() const {
  return round(rate.steps).synchronizes ? sync(rate.steps, rate.eta) : 1;
}

std::int64_t Algorithm::communication_rounds(std::int64_t steps) const {
  if (steady()) {
    const Round one = round(0);
    return one.synchronizes ? (steps + one.steps - 1) / one.steps : steps;
  }
  std::int64_t count = 0;
  for (std::int64_t k = 0; k < steps;) {
    const Round one = round(k);
    const std::int64_t length = std::min(one.steps, steps - k);
    count += one.synchronizes ? 1 : length;
    k += length;
  }
  return count;
}

void refuse(const char* field, const std::string& expected, std::int64_t got) {
  throw InputError(fmt::format("algorithm.{}: {}, got {}", field, expected, got));
}

std::string shortest(double value) { return fmt::format("{:g}", value); }

namespace {

void at_least(const char* field, std::int64_t least, std::int64_t value) {
  if (value < least) refuse(field, fmt::format("expected at least {}", least), value);
}
void positive(const char* field, double value) {
  if (!(value > 0 && std::isfinite(value)))
    throw InputError(fmt::format("algorithm.{}: expected a finite number above 0, got {}", field, value));
}

}  // namespace

void check(const Algorithm& a) {
  if (!a.type) throw InputError("algorithm.type: missing: expected one of discrete::Algorithms::all()");
  positive("rate.eta", a.rate.eta);
  at_least("rate.steps", 1, a.rate.steps);
  at_least("rate.warmup", 0, a.rate.warmup);
  at_least("workers", 1, a.workers);
  at_least("batch", 1, a.batch);
  if (a.batch % a.workers != 0)
    refuse("batch", fmt::format("expected a multiple of workers = {} (batch is the total B = K B_loc)", a.workers),
           a.batch);
  at_least("sync.H", 1, a.sync.H);
  if (a.sync.kind != Synchronization::Kind::constant) positive("sync.beta", a.sync.beta);
  at_least("increments.substeps", 1, a.increments.substeps);
  at_least("increments.coarsening", 1, a.increments.coarsening);
  a.type->check(a);
}

}  // namespace sde::discrete
