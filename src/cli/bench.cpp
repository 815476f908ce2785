#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "../bench/scaling.hpp"
#include "../bench/work.hpp"
#include "../modules/devices.hpp"
#include "../modules/kernels.hpp"
#include "cli.hpp"
#include "progress.hpp"
#include "sde/core/suggestion.hpp"
#include "session.hpp"

namespace sde::cli {

namespace {

struct Options {
  std::string only, device = "cpu";
  int threads = 0;
  double seconds = 0.3;
  bool scaling = false, json = false, quiet = false;
};

int scaling(const Options& o) {
  nlohmann::json j = nlohmann::json::array();
  if (!o.json)
    fmt::print("{:<50} {:<8} {:>20}  {}\n", "seconds on one thread of", "against", "exponent (95%)", "range");
  for (const auto& s : bench::scalings()) {
    j.push_back({{"work", s.name},
                 {"against", s.against},
                 {"sizes", s.sizes},
                 {"seconds", s.seconds},
                 {"fit_from", s.fit_from},
                 {"exponent", s.exponent},
                 {"half_width", s.half_width}});
    if (!o.json)
      fmt::print("{:<50} {:<8} {:>12.3f} +- {:.3f}  {:g} to {:g}\n", s.name, s.against, s.exponent, s.half_width,
                 s.fit_from, s.sizes.back());
  }
  if (o.json) fmt::print("{}\n", j.dump(2));
  return kDone;
}

int bench(const Options& o) {
  if (o.scaling) return scaling(o);

  const int device = device_named(o.device);
  const int threads = device < 0 ? thread_count(o.threads) : 1;  // one thread gives a GPU its work
  Progress progress(o.quiet);
  auto all = device < 0 ? kernels().floors() : cuda().floors(device);
  const std::size_t floors = all.size();
  for (auto& w : bench::works(device))
    if (o.only.empty() || w.name.find(o.only) != std::string::npos) all.push_back(std::move(w));
  if (all.size() == floors) {
    std::string names;
    for (const auto& w : bench::works(device)) names += "\n  " + w.name;
    throw InputError(fmt::format("--only {}: expected part of the name of a work:{}", o.only, names));
  }
  const std::string where =
      device < 0 ? fmt::format("{} threads, {} kernels", threads, kernel_level()) : device_line(device);
  nlohmann::json j{{"threads", threads}, {"kernels", kernel_level()}, {"rates", nlohmann::json::array()}};
  if (device >= 0) j["device"] = where;
  double normals[2] = {}, signs[2] = {}, flops[2] = {};  // rates of the floors in double and float
  if (!o.json)
    fmt::print(
        "{}; median of 5 calls of {} s; / floor: share of the rate at which the random numbers "
        "alone\n"
        "come; / peak: flops, where they are counted, over the fused multiply-adds' rate\n\n"
        "{:<66} {:<13} {:>12}  {:>15}  {:>8} {:>7}\n",
        where, o.seconds, "work", "unit", "per second", "slowest-fastest", "/ floor", "/ peak");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& w = all[i];
    progress.show(static_cast<double>(i) / static_cast<double>(all.size()), w.name);
    const auto rate = bench::measure(w, threads, o.seconds, 5);
    progress.clear();
    const int p = w.precision == Precision::single;
    if (w.unit == "normals") normals[p] = rate.per_second;
    if (w.unit == "signs") signs[p] = rate.per_second;
    if (w.unit == "flops") flops[p] = rate.per_second;
    // Seconds that the random numbers of a unit take alone, over those of the unit.
    const double share = i < floors ? 0 : rate.per_second * (w.normals / normals[p] + w.signs / signs[p]);
    const double of_peak = i < floors ? 0 : rate.per_second * w.flops / flops[p];
    j["rates"].push_back({{"work", w.name},
                          {"unit", w.unit},
                          {"per_second", rate.per_second},
                          {"slowest", rate.slowest},
                          {"fastest", rate.fastest},
                          {"share_of_floor", share > 0 ? nlohmann::json(share) : nlohmann::json(nullptr)},
                          {"flops", w.flops > 0 ? nlohmann::json(w.flops) : nlohmann::json(nullptr)},
                          {"share_of_peak", of_peak > 0 ? nlohmann::json(of_peak) : nlohmann::json(nullptr)}});
    if (w.sample && o.json) {
      const auto sample = w.sample();
      auto& entry = j["rates"].back();
      entry["observable"] = w.observable;
      entry["mean"] = sample.mean;
      entry["standard_error"] = sample.standard_error();
      if (!w.arrays.empty()) entry["arrays"] = w.arrays;
    }
    if (o.json) continue;
    fmt::print("{:<66} {:<13} {:>12.4g}  {:>6.2f} - {:>6.2f}  {:>8} {:>7}\n", w.name, w.unit, rate.per_second,
               rate.slowest / rate.per_second, rate.fastest / rate.per_second,
               share > 0 ? fmt::format("{:.2f}", share) : "", of_peak > 0 ? fmt::format("{:.2f}", of_peak) : "");
    if (i + 1 == floors) fmt::print("\n");
    std::fflush(stdout);
  }
  if (o.json) fmt::print("{}\n", j.dump(2));
  return kDone;
}

}  // namespace

Command add_bench(CLI::App& app) {
  auto* sub = app.add_subcommand("bench", "Rates of the kernels beside what this machine can do, in one run");
  auto o = std::make_shared<Options>();
  sub->add_option("--only", o->only, "Works whose name contains this")->type_name("TEXT");
  add_device_option(*sub, o->device);
  sub->add_option("--threads", o->threads, "Threads (default: all cores)")
      ->check(whole_number(1, kMostThreads))
      ->type_name("N");
  sub->add_option("--seconds", o->seconds, "Length of a call")
      ->check(number_above(0))
      ->type_name("S")
      ->capture_default_str();
  sub->add_flag("--scaling", o->scaling, "How the cost grows with paths, steps, workers and dimension instead");
  sub->add_flag("--json", o->json, "Print the rates as JSON");
  sub->add_flag("--quiet", o->quiet, "No progress bar");
  sub->footer("Examples:\n  sde bench\n  sde bench --only ring --threads 1 --json");
  return {sub, [o] { return bench(*o); }};
}

}  // namespace sde::cli
