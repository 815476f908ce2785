// Claims 10 to 12: methods of an experiment file beside each other, as its [verify.comparison] expects them.
#include "claim.hpp"
#include "comparing.hpp"

namespace sde::claims {

namespace {

Measured measure_10(const Setting& s, const Case& c) { return measure_comparisons(10, s, *c.compared); }
Measured measure_11(const Setting& s, const Case& c) { return measure_comparisons(11, s, *c.compared); }
Measured measure_12(const Setting& s, const Case& c) { return measure_comparisons(12, s, *c.compared); }

constexpr const char* kElsewhere =
    "not measured without a file: it is about methods of an experiment with a [verify.comparison], e.g. "
    "experiments/generalization";

}  // namespace

Claim generalization() {
  return {
      10,
      "Generalization: Local SGD ends with less test error and sharpness than SGD if the rate is small and training "
      "long, and not otherwise",
      "introduction, sections 3 and 4",
      "the observable over the baseline's, or over what its slow SDE predicts",
      "the file's, of the baseline's",
      kElsewhere,
      measure_10};
}
Claim quadratic_rule() {
  return {
      11,
      "QSR: under a decaying rate the final sharpness of H ~ 1/eta^2 is below that of H ~ 1/eta, and that below that "
      "of a constant H",
      "arXiv 2310.14423",
      "the observable at the end over that of the method before it",
      "the file's",
      kElsewhere,
      measure_11};
}
Claim less_diffusion() {
  return {12,           "Less diffusion at the same drift (a larger batch by more workers) does not remove the benefit",
          "section 4",  "the observable at the end over the baseline's",
          "the file's", kElsewhere,
          measure_12};
}

}  // namespace sde::claims
