#include <fmt/format.h>

#include <filesystem>

#include "../experiment/registry.hpp"
#include "cli.hpp"

namespace sde::cli {

Command add_list(CLI::App& app) {
  auto* sub = app.add_subcommand("list", "The built-in losses, noises and methods with their parameters");
  sub->footer("Example:\n  sde list");
  return {
      sub, [] {
        fmt::print("Losses ([loss] name = ...)\n");
        for (const auto& e : experiment::losses()) {
          fmt::print("  {:<17} {}\n", e.name, e.formula);
          for (const auto& k : e.keys)
            fmt::print("  {:<17}   {:<25} {} ({})\n", "", fmt::format("{} = {}", k.name, k.otherwise), k.meaning,
                       k.values);
        }
        fmt::print(
            "\nNoises ([noise] kind = ..., several [[noise]] tables add up)\n"
            "  label             labels perturbed at each draw: sigma2, law = two_point | gaussian, sampling\n"
            "  minibatch         sampling = with_replacement | without_replacement (reshuffled epochs) | full\n"
            "  gaussian          covariance (row-major), or variances (one a coordinate), or variance\n"
            "  state             A(theta) = A_0 + sum_k theta_k A_k: rank, constant, slopes\n"
            "  none\n"
            "\nMethods ([[method]] kind = ...)\n"
            "  sgd, local_sgd, post_local_sgd, qsr                         the discrete algorithms\n"
            "  slow_sgd, slow_local_sgd, slow_post_local_sgd, slow_qsr     slow SDEs (dt, integrator, retraction, "
            "refined)\n"
            "  slow_ode_sgd, slow_ode_local_sgd, slow_ode_qsr              the same without diffusion, adaptive\n"
            "  coupled_slow                                                K slow SDEs, averaged every H eta^2\n"
            "  conventional_sgd, conventional_local_sgd                    the conventional SDEs (substeps)\n"
            "  keys: eta, schedule = constant | step | cosine | linear, warmup, floor, factor, milestones,\n"
            "        workers (K), batch (total B), H, sync = constant | inverse | qsr, beta, switch, paths, seed\n");
        return static_cast<int>(kDone);
      }};
}

}  // namespace sde::cli
