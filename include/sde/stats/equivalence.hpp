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

/// Two one-sided tests of |difference| >= margin: the larger of both p-values. Small: equivalent within the margin.
double equivalence_p(double difference, double standard_error, double margin);
/// p-value of |difference| <= margin at its least favourable point. Small: different by more than the margin.
double difference_p(double difference, double standard_error, double margin);

/// Holm's adjusted p-values, in the order given: each is to be compared with the family-wise level itself.
std::vector<double> holm(const std::vector<double>& p);

enum class Verdict { agrees, disagrees, inconclusive };
std::string name(Verdict);

/// One line of a table to be judged together.
struct Judged {
  double difference, standard_error, margin;
};
/// Verdicts with the chance of any false "agrees", and of any false "disagrees", at most `level` over the table.
std::vector<Verdict> judge(const std::vector<Judged>& table, double level = 0.05);

}  // namespace sde::stats
