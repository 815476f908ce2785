#include "reading.hpp"

namespace sde::experiment {

double VerifySettings::margin(const std::string& claim, double otherwise) const {
  const auto own = margins.find(claim);
  return own != margins.end() ? own->second : factor * otherwise;
}

const std::vector<std::string>& claims_with_margins() {
  static const std::vector<std::string> names{"drift",       "diffusion",   "weak_error",     "distance", "limits",
                                              "label_noise", "time_scales", "linear_scaling", "controls", "algorithms"};
  return names;
}

VerifySettings read_verify(Section section) {
  VerifySettings v;
  v.factor = section.positive({"margin", "factor of the margins of all claims"}, 1.0);
  Section margins = section.section("margins");
  for (const auto& claim : claims_with_margins())
    if (margins.has(claim))
      v.margins[claim] = margins.positive({claim.c_str(), "half-width of the claim's margin, relative"}, 1.0);
    else
      margins.know(claim);
  margins.finish();
  section.know("comparison");  // comparison.hpp: it names methods, which are read later
  section.finish();
  return v;
}

}  // namespace sde::experiment
