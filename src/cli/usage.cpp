// What is wrong with a command line, where CLI11 would say too little.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "cli.hpp"
#include "sde/core/suggestion.hpp"

namespace sde::cli {

namespace {

std::string refusal(const std::string& expected, const std::string& got) {
  return fmt::format("expected {}, got '{}'", expected, got);
}

/// A check of a number that passes `holds`.
CLI::Validator number_that(const std::string& expected, const std::function<bool(double)>& holds) {
  return {[=](std::string& text) {
            char* end = nullptr;
            const double value = std::strtod(text.c_str(), &end);
            const bool good = !text.empty() && *end == '\0' && holds(value);
            return good ? std::string() : refusal(expected, text);
          },
          ""};
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& subcommands) {
  std::vector<std::string> names;
  names.reserve(subcommands.size());
  for (const auto* sub : subcommands) names.push_back(sub->get_name());
  return names;
}

}  // namespace

CLI::Validator whole_number(long least, long most) {
  return {[=](std::string& text) {
            long value = 0;
            const char* const last = text.data() + text.size();
            const auto read = std::from_chars(text.data(), last, value);
            const bool good = read.ec == std::errc() && read.ptr == last && value >= least && value <= most;
            return good ? std::string() : refusal(fmt::format("a whole number from {} to {}", least, most), text);
          },
          ""};
}
CLI::Validator number_above(double above) {
  return number_that(fmt::format("a finite number above {}", above),
                     [=](double v) { return v > above && std::isfinite(v); });
}
CLI::Validator number_of_at_least(double least, bool infinity) {
  return number_that(fmt::format("a {}number of at least {}", infinity ? "" : "finite ", least),
                     [=](double v) { return v >= least && (infinity || std::isfinite(v)); });
}

void check_subcommand(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2) return;
  const std::string word = argv[1];
  const auto names = names_of(app.get_subcommands([](const CLI::App*) { return true; }));
  if (word.starts_with('-') || std::find(names.begin(), names.end(), word) != names.end()) return;
  if (word.ends_with(".toml"))
    throw InputError(fmt::format("'{}' is not a subcommand: expected e.g. sde run {}", word, word));
  throw InputError(fmt::format("unknown subcommand '{}'{}", word, suggestion(word, names)));
}

std::string unknown_arguments(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  const auto* sub = chosen.empty() ? &app : chosen.front();
  const std::string name = chosen.empty() ? "sde" : "sde " + sub->get_name();
  std::vector<std::string> options;
  for (const auto* o : sub->get_options())
    for (const auto& long_name : o->get_lnames()) options.push_back("--" + long_name);
  std::string text;
  for (const auto& word : sub->remaining()) {
    if (word.size() > 1 && word.starts_with('-'))
      return fmt::format("{}: unknown option {}{}", name, word, suggestion(word.substr(0, word.find('=')), options));
    text += (text.empty() ? "'" : ", '") + word + "'";
  }
  return fmt::format("{}: {} not expected: {} --help says what is", name, text, name);
}

}  // namespace sde::cli
