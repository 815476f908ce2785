#include "gamma_report.hpp"

namespace sde::cli {

nlohmann::json to_json(const manifold::Findings& f) {
  return {{"dimension", f.dim_gamma()},
          {"parameters", f.dim},
          {"rank", f.rank},
          {"negative_eigenvalues", f.negative},
          {"least_eigenvalue", f.least},
          {"smallest_nonzero_eigenvalue", f.smallest},
          {"largest_eigenvalue", f.largest},
          {"largest_counted_as_zero", f.greatest_zero},
          {"squared_loss", f.residuals > 0},
          {"residuals_vanish", f.interpolating},
          {"largest_residual", f.residuals > 0 ? nlohmann::json(f.largest_residual) : nlohmann::json(nullptr)},
          {"around",
           {{"points", f.neighbours},
            {"distance", f.reach},
            {"rank", {f.least_rank, f.most_rank}},
            {"smallest_nonzero_eigenvalue", {f.least_smallest, f.most_smallest}}}},
          {"warnings", manifold::warnings(f)}};
}

}  // namespace sde::cli
