// A piece of work with a rate, as `sde bench` measures it; modules give those that are compiled with their kernels.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sde/model/device_model.hpp"
#include "sde/stats/moments.hpp"

namespace sde::bench {

/// Keeps a value alive without storing it.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "m"(value) : "memory");
}

struct Work {
  std::string name;
  std::string unit;  ///< what is counted: path-steps, worker-steps, points, ...
  Precision precision = Precision::full;
  double normals = 0;  ///< standard normals that a unit draws
  double signs = 0;    ///< two-point increments that a unit draws
  double flops =
      0;  ///< additions, multiplications, divisions and roots of a unit but for its random numbers; 0: not counted
  /// Does about `units` units on the calling thread, number `thread`; returns how many it did.
  std::function<double(int thread, double units)> run = {};
  /// A sample of what is computed, to be held against other programs' (bench/peers); empty where there is none.
  std::function<stats::Moments()> sample = {};
  std::string observable = {};  ///< what the sample is of
  /// Arrays that another program needs to do the same: a network's data, and where it starts.
  std::map<std::string, std::vector<double>> arrays = {};
};

/// Timed runs of go(thread, units, ends) leave the ends out; the sample is of `sample_units` units.
template <class Go>
void set_runs(Work& w, Go go, double sample_units) {
  w.run = [go](int thread, double units) { return go(thread, units, nullptr); };
  w.sample = [go, sample_units] {
    stats::Moments ends;
    go(0, sample_units, &ends);
    return ends;
  };
}

/// The linear SDE but for who runs it: three components a path-step, two operations on the increment and two after it.
inline Work linear_work(Precision precision, bool weak) {
  Work w;
  w.name = "linear SDE";
  if (weak) w.name += ", weak";
  if (precision == Precision::single) w.name += ", float";
  w.unit = "path-steps";
  w.precision = precision;
  (weak ? w.signs : w.normals) = 3;
  w.flops = 3 * 4;
  w.observable = "x[0]";
  return w;
}
/// The precision of a kernel in numbers S.
template <class S>
inline constexpr Precision precision_of = sizeof(S) == sizeof(float) ? Precision::single : Precision::full;

/// The rates of the machine that nothing can beat: random words, normals, signs, multiply-adds.
/// Compiled for each instruction set.
std::vector<Work> floors();
/// The linear SDE, likewise.
std::vector<Work> linear_works();

}  // namespace sde::bench
