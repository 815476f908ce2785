#include "claim.hpp"

namespace sde::claims {

const std::vector<Claim>& all() {
  static const std::vector<Claim> claims{on_manifold_terms(), drift(),
                                         diffusion(),         weak_error(),
                                         distance(),          limits(),
                                         label_noise(),       time_scales(),
                                         linear_scaling(),    generalization(),
                                         quadratic_rule(),    less_diffusion(),
                                         negative_controls(), other_algorithms_claim()};
  return claims;
}

}  // namespace sde::claims
