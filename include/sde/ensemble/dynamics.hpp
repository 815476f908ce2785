// What moves the paths of a method: a discrete algorithm itself, its conventional SDE, its slow SDE, that without
// diffusion, or K coupled slow SDEs. One object each (src/ensemble/NAME.cpp); a method has an algorithm and one of
// these.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "sde/discrete/algorithm.hpp"
#include "sde/model/device_model.hpp"

namespace sde::ensemble {

struct Method;
struct Problem;
struct Timeline;
class SlowClock;
class Stepper;

/// What a stepper needs; all of it must outlive the stepper.
struct Run {
  const Problem& problem;
  const Method& method;
  const Timeline& timeline;
  const SlowClock& clock;
  const std::atomic<bool>* interrupted;
};

/// Objects of these classes are constants without state.
class Dynamics {
 public:
  virtual ~Dynamics() = default;
  /// In files: "slow_local_sgd"; empty where there is none for this type.
  virtual std::string kind(const discrete::AlgorithmType&) const = 0;
  virtual const char* description() const = 0;  ///< for `sde list`
  virtual const char* suffix() const = 0;       ///< behind the algorithm's label in tables: " (slow SDE)"

  /// Whether paths start at Phi(theta_0) and stay on Gamma; else at theta_0, and are observed through Phi.
  virtual bool on_gamma() const = 0;
  /// Whether paths are observed at the ends of the algorithm's rounds.
  virtual bool in_rounds() const = 0;
  /// Whether it is a discrete algorithm itself, not an equation in its place.
  virtual bool is_algorithm() const { return false; }
  /// Whether the slow SDE is the limit that describes the algorithm better where it has one (AlgorithmType::limit_sde).
  virtual bool takes_limit() const { return false; }
  /// Whether all paths are the same one.
  virtual bool one_path() const { return false; }

  /// Asks for the keys of its own; `time` is that of the whole run.
  virtual void read(Keys&, Method&, double time) const = 0;
  /// Throws InputError where the problem, or what the method says for it, has no such dynamics.
  virtual void check(const Problem&, const Method&) const {}

  /// The algorithm as its kernels draw.
  virtual discrete::Algorithm algorithm(const Method&) const;
  /// The slow SDE beside it at local step k, with the method's factors.
  slow::Parameters parameters(const Method&, std::int64_t k) const;
  /// Stochastic gradients of a path in its first `steps` local steps; 0 where it computes none.
  virtual double gradients(const Method&, std::int64_t steps) const = 0;
  /// What a path costs up to slow time `time`, in units of a gradient, about.
  virtual double work(const Method&, double time) const = 0;

  virtual std::unique_ptr<Stepper> stepper(const Run&) const = 0;
  /// The kernels of a GPU for at most `paths` paths; nothing where the paths advance on the CPU alone. Throws
  /// DeviceUnusable.
  virtual std::unique_ptr<DeviceTile> tile(const Problem&, const Method&, int device, long paths) const {
    (void)device, (void)paths;
    return nullptr;
  }
  /// Whether tile() gives one.
  virtual bool runs_on_device(const Problem&, const Method&) const { return false; }
};

/// @name The kinds of dynamics
/// @{
const Dynamics& discrete_algorithm();  ///< the algorithm itself
const Dynamics& conventional_sde();    ///< theory.md section 5
const Dynamics& slow_sde();            ///< section 3
const Dynamics& slow_ode();            ///< the same without diffusion, by Odeint's adaptive steps
const Dynamics& coupled_slow_sdes();   ///< section 5: K slow SDEs, averaged and projected after every round
/// @}

/// All of them.
const std::vector<const Dynamics*>& all_dynamics();

}  // namespace sde::ensemble
