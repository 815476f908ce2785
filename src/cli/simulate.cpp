#include "simulate.hpp"

#include <fmt/format.h>

#include "sde/core/suggestion.hpp"

namespace sde::cli {

namespace {

double work_of(const experiment::Experiment& e, std::size_t method, long paths) {
  const auto& m = e.methods[method];
  return m.dynamics->work(m, e.observation.times.back()) * static_cast<double>(paths) + 1;
}

/// What was lost; the failure is that it is too much.
std::string lost(const experiment::Experiment& e, const std::string& method, const ensemble::MethodResult& r,
                 const Listener& listener) {
  if (r.lost == 0) return "";
  auto text = fmt::format("{} of {} paths lost; the first: path {}, step {}, before slow time {:.4g}: {}", r.lost,
                          r.paths, r.first_lost.path, r.first_lost.step, r.first_lost.slow_time, r.first_lost.reason);
  listener.say(fmt::format("{}: {}", method, text));
  if (static_cast<double>(r.lost) <= e.max_lost * static_cast<double>(r.paths)) return "";
  listener.say(fmt::format("that is more than experiment.max_lost = {} allows: try a smaller eta or dt", e.max_lost));
  return text;
}

/// Where the rank of the Hessian changes among the points of Gamma that were met.
void warn_of_rank(const std::string& method, const ensemble::SpectrumRange& s, const Listener& listener) {
  if (s.points == 0 || s.constant_rank()) return;
  listener.say(fmt::format(
      "{}: the Hessian's rank changes on the way: {}, with nonzero eigenvalues from {:.2g} to {:.2g} at the points of "
      "Gamma where paths were observed. No slow SDE holds beyond where it changes. Start elsewhere, or stop earlier",
      method,
      s.least_rank < s.most_rank ? fmt::format("it was {} to {}", s.least_rank, s.most_rank)
                                 : fmt::format("it was {}, or next to less", s.most_rank),
      s.smallest, s.largest));
}

}  // namespace

double work_of(const experiment::Experiment& e, const experiment::PairPlan& plan) {
  double all = 0;
  for (std::size_t i = 0; i < e.methods.size(); ++i) all += work_of(e, i, e.methods[i].paths);
  for (const auto& pair : plan.pairs) all += work_of(e, pair.algorithm, pair.pairing.paths);
  return all;
}

bool simulate(const experiment::Experiment& e, const experiment::PairPlan& plan, ensemble::Control control,
              experiment::RunState& state, const Listener& listener) {
  control.notice = listener.say;
  const double all = work_of(e, plan);
  double done = 0;
  /// Runs one method, or its pair, which is called `name` and is `work` of all.
  const auto part = [&](std::size_t method, const std::string& name, double work, const auto& run) {
    control.progress = [&](double fraction) { listener.progress((done + fraction * work) / all, name); };
    control.progress(0);
    std::string failure;
    try {
      failure = run();
    } catch (const ensemble::Interrupted&) {
      throw;
    } catch (const DeviceFailure&) {
      throw;
    } catch (const DeviceUnusable&) {
      throw;
    } catch (const InputError&) {
      throw;
    } catch (const std::exception& error) {
      if (!listener.keep_going) throw;
      failure = error.what();
      listener.say(fmt::format("{}: {}", name, failure));
    }
    done += work;
    if (!failure.empty()) listener.failed(method, failure);
  };
  const auto go_on = [&] {
    if (!listener.paused || !listener.paused()) throw ensemble::Interrupted();
  };
  state.methods.resize(e.methods.size());
  try {
    for (std::size_t i = 0; i < e.methods.size(); ++i) {
      const auto& m = e.methods[i];
      part(i, m.name, work_of(e, i, m.paths), [&] {
        while (!ensemble::resume(e.problem, m, observation_of(e, i), control, state.methods[i])) go_on();
        warn_of_rank(m.name, state.methods[i].total.spectra, listener);
        return lost(e, m.name, state.methods[i].total, listener);
      });
    }
    for (std::size_t i = 0; i < plan.pairs.size(); ++i) {
      const auto& pair = plan.pairs[i];
      part(pair.algorithm, e.methods[pair.algorithm].name + " beside its slow SDE",
           work_of(e, pair.algorithm, pair.pairing.paths), [&] {
             if (i == state.pairs.size()) state.pairs.emplace_back();
             if (!state.pairs[i].gap.empty()) return std::string();
             if (state.pair_number != i) state.pair = {};
             state.pair_number = i;
             while (!verify::resume_paired(e.problem, pair.pairing, control, state.pair)) go_on();
             state.pairs[i] = std::move(state.pair.total);
             state.pair = {};
             return std::string();
           });
    }
  } catch (const ensemble::Interrupted&) {
    return false;
  }
  return true;
}

}  // namespace sde::cli
