// The values of a swept key: lists and ranges.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "methods.hpp"
#include "perceptron.hpp"
#include "sweep.hpp"
#include "tanh_on_data.hpp"

namespace sde::experiment {

namespace {

constexpr const char* kExpected = "expected values (0.01,0.02), geom:first:last:count or lin:first:last:count";

bool is_whole(double x) { return x == std::floor(x) && std::abs(x) < 9e15; }

/// Whether a key takes whole numbers alone.
bool takes_whole_numbers(const std::string& key) {
  const auto dot = key.rfind('.');
  const std::string table = key.substr(0, key.find('.')), name = dot == std::string::npos ? key : key.substr(dot + 1);
  const auto among = [&](const std::vector<KeyDescription>& keys) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const auto& k) { return k.name == name && k.values.starts_with("a whole number"); });
  };
  if (table == "training" || table == "method") return among(method_keys());
  if (table == "experiment") return name == "paths" || name == "seed" || name == "observations" || name == "components";
  return table == "loss" &&
         (among(perceptron().keys) || among(tanh_on_data().keys) ||
          std::any_of(losses().begin(), losses().end(), [&](const auto& loss) { return among(loss.keys); }));
}

SweepValue number(double x) { return {fmt::format("{}", x), x, is_whole(x)}; }

/// To 12 digits: 5 * 2 is 10 then, also as a power of a root.
double rounded(double x) {
  double short_one = x;
  const auto text = fmt::format("{:.12g}", x);
  std::from_chars(text.data(), text.data() + text.size(), short_one);
  return short_one;
}

/// The values of "geom:5:40:4" (`lin` alike).
std::vector<SweepValue> range(const std::string& key, const std::string& text, const std::string& place) {
  const bool geometric = text.starts_with("geom:");
  const auto fail = [&](const std::string& expected) {
    throw InputError(fmt::format("{}: {}: expected {}", place, text, expected));
  };
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ':');) parts.push_back(part);
  if (parts.size() != 4) fail(parts[0] + ":first:last:count");
  double ends[2] = {};
  bool whole = takes_whole_numbers(key);
  for (int i = 0; i < 2; ++i) {
    const auto& part = parts[static_cast<std::size_t>(i) + 1];
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), ends[i]);
    if (error != std::errc() || end != part.data() + part.size() || !std::isfinite(ends[i]))
      fail(fmt::format("a finite number as its {} value, got '{}'", i == 0 ? "first" : "last", part));
    whole = whole && is_whole(ends[i]);
  }
  if (geometric && !(ends[0] > 0 && ends[1] > 0)) fail("numbers above 0");
  std::size_t count = 0;
  const auto& last = parts[3];
  const auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), count);
  if (error != std::errc() || end != last.data() + last.size() || count < 2 || count > Sweep::kMostCells)
    fail(fmt::format("a count from 2 to {}, got '{}'", Sweep::kMostCells, last));
  std::vector<SweepValue> values;
  for (std::size_t i = 0; i < count; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(count - 1);
    double x = geometric ? ends[0] * std::pow(ends[1] / ends[0], t) : ends[0] + (ends[1] - ends[0]) * t;
    x = i == 0 ? ends[0] : i + 1 == count ? ends[1] : whole ? std::round(x) : rounded(x);
    values.push_back(number(x));
  }
  return values;
}

SweepValue value_of(const toml::node& node, const std::string& place) {
  if (const auto* x = node.as_integer()) return {fmt::format("{}", x->get()), static_cast<double>(x->get()), true};
  if (const auto* x = node.as_floating_point()) {
    if (!std::isfinite(x->get())) throw InputError(fmt::format("{}: expected finite numbers, got {}", place, x->get()));
    return number(x->get());
  }
  std::ostringstream text;
  node.visit([&](const auto& v) { text << v; });
  return {text.str(), std::nullopt, false};
}

std::vector<SweepValue> values_of(const toml::array& array, const std::string& place) {
  if (array.empty()) throw InputError(fmt::format("{}: no value: {}", place, kExpected));
  std::vector<SweepValue> values;
  for (const auto& element : array) values.push_back(value_of(element, place));
  return values;
}

bool is_range(const std::string& text) { return text.starts_with("geom:") || text.starts_with("lin:"); }

}  // namespace

std::vector<SweepValue> sweep_values(const std::string& key, const toml::node& node, const std::string& place) {
  if (const auto* array = node.as_array()) return values_of(*array, place);
  if (const auto text = node.value<std::string>(); text && is_range(*text)) return range(key, *text, place);
  throw InputError(
      fmt::format("{}: got {}: expected an array of values, \"geom:first:last:count\" or "
                  "\"lin:first:last:count\"",
                  place, value_of(node, place).text));
}

std::vector<SweepValue> sweep_values(const std::string& key, const std::string& text, const std::string& place) {
  if (is_range(text)) return range(key, text, place);
  try {
    return values_of(*toml::parse("v = [" + text + "]").get_as<toml::array>("v"), place);
  } catch (const toml::parse_error&) {  // words without quotes
  }
  toml::array array;
  std::stringstream stream(text + ",");
  for (std::string word; std::getline(stream, word, ',');) {
    if (word.empty())
      throw InputError(fmt::format("{}: {}: value {} is empty: {}", place, text, array.size() + 1, kExpected));
    try {
      toml::parse("v = " + word).get("v")->visit([&](auto& v) { array.push_back(v); });
    } catch (const toml::parse_error&) {
      array.push_back(word);
    }
  }
  return values_of(array, place);
}

}  // namespace sde::experiment
