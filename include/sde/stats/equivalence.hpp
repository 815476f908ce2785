// Verdicts on an estimate with a standard error: equivalence by two one-sided tests (Schuirmann 1987), and Holm's
// step-down correction (Holm 1979) for a table of them.
#pragma once

#include <string>
#include <vector>

namespace sde::stats {

/// 1 - Phi(z), accurate in the tail.
double normal_tail(double z);
/// z with normal_tail(z) = p.
double normal_quantile_tail(double p);

/// What an estimate is judged by: its distance from the prediction should lie in [low, high] (the margin; either may be
/// infinite: a one-sided claim). `of` > 1: the worst of so many estimates stands for all of them.
struct Judged {
  double difference, standard_error, low, high;
  int of = 1;
};
/// Two one-sided tests of "outside the margin": the larger of both p-values. Small: the whole interval is inside. The
/// worst of many being inside, so are all (intersection-union: no correction).
double equivalence_p(const Judged&);
/// p-value of "inside the margin" at its least favourable point, times `of` (Bonferroni). Small: outside.
double difference_p(const Judged&);

/// Holm's adjusted p-values, in the order given: each is to be compared with the family-wise level itself.
std::vector<double> holm(const std::vector<double>& p);

/// What a row of a table says of its prediction.
enum class Verdict { agrees, disagrees, inconclusive };
/// "agrees", "disagrees", "inconclusive".
std::string name(Verdict);

/// Verdicts with the chance of any false "agrees", and of any false "disagrees", at most `level` over the table (Holm,
/// for each kind apart). "Agrees" further needs the row's own interval of confidence 1 - level inside the margin. An
/// estimate that is not finite, or has no finite error, is inconclusive.
std::vector<Verdict> judge(const std::vector<Judged>& table, double level = 0.05);

}  // namespace sde::stats
