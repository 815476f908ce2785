#include "sde/core/keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdlib>

#include "sde/core/error.hpp"

namespace sde {

namespace {
std::string shown(double value) { return std::isnan(value) ? std::string() : fmt::format("{}", value); }
}  // namespace

void Keys::expected(const std::string& key, const std::string& what, double got) const {
  fail(key, fmt::format("expected {}, got {}", what, got));
  std::abort();  // fail() throws; of a virtual function the compiler does not believe it
}

double Defaults::number(Key key, double otherwise) {
  asked.push_back({key.name, key.meaning, "a number", shown(otherwise)});
  return otherwise;
}
double Defaults::positive(Key key, double otherwise) {
  asked.push_back({key.name, key.meaning, "a number above 0", shown(otherwise)});
  return otherwise;
}
double Defaults::non_negative(Key key, double otherwise) {
  asked.push_back({key.name, key.meaning, "a number of at least 0", shown(otherwise)});
  return otherwise;
}
double Defaults::between(Key key, double otherwise, double least, double most) {
  asked.push_back({key.name, key.meaning, fmt::format("a number from {} to {}", least, most), shown(otherwise)});
  return otherwise;
}
double Defaults::fraction(Key key, double otherwise) {
  asked.push_back({key.name, key.meaning, "a number above 0 and below 1", shown(otherwise)});
  return std::isnan(otherwise) ? 0.5 : otherwise;
}
long Defaults::integer(Key key, long otherwise, long least, long most) {
  asked.push_back(
      {key.name, key.meaning, fmt::format("a whole number from {} to {}", least, most), fmt::format("{}", otherwise)});
  return otherwise;
}
bool Defaults::boolean(Key key, bool otherwise) {
  asked.push_back({key.name, key.meaning, "true or false", fmt::format("{}", otherwise)});
  return otherwise;
}
std::string Defaults::choice(Key key, const std::string& otherwise, const std::vector<std::string>& options) {
  asked.push_back({key.name, key.meaning, fmt::format("{}", fmt::join(options, " | ")), otherwise});
  return otherwise;
}
std::string Defaults::text(Key key, const std::string& otherwise) {
  asked.push_back({key.name, key.meaning, "text", otherwise});
  return otherwise;
}
std::vector<double> Defaults::numbers(Key key) {
  asked.push_back({key.name, key.meaning, "an array of numbers", "[]"});
  return {};
}
std::vector<std::string> Defaults::texts(Key key) {
  asked.push_back({key.name, key.meaning, "an array of texts", "[]"});
  return {};
}
void Defaults::fail(const std::string& key, const std::string& complaint) const {
  throw InputError(fmt::format("{}: {}", key, complaint));
}

}  // namespace sde
