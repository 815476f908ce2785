#include "method_names.hpp"

#include <algorithm>

namespace sde::experiment {

namespace {

using ensemble::Method;

/// Whether two of the methods that `among` has together hold different values of a key.
template <class Among>
bool differ(const std::vector<KeyValues>& all, const std::string& key, Among among) {
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const auto *a = find(all[i], key), *b = find(all[j], key);
      if (a && b && a->value != b->value && among(i, j)) return true;
    }
  return false;
}

/// ", eta = 0.02" for each value of method `i` that `wanted` is true of, where two of `among` differ in it.
template <class Wanted, class Among>
std::string distinction(const std::vector<KeyValues>& all, std::size_t i, Wanted wanted, Among among) {
  std::string text;
  for (const auto& v : all[i])
    if (wanted(v) && differ(all, v.name, among)) text += ", " + v.name + " = " + v.text();
  return text;
}

}  // namespace

std::vector<std::string> differing_keys(const std::vector<Method>& methods, const std::vector<KeyValues>& all) {
  std::vector<std::string> keys;
  for (const auto& values : all)
    for (const auto& v : values) {
      if (std::find(keys.begin(), keys.end(), v.name) != keys.end()) continue;
      if (differ(all, v.name, [&](std::size_t i, std::size_t j) {
            const auto &a = methods[i], &b = methods[j];
            if (v.of == KeyValue::Of::algorithm) return true;
            return v.of == KeyValue::Of::type ? a.algorithm.type == b.algorithm.type : a.dynamics == b.dynamics;
          }))
        keys.push_back(v.name);
    }
  return keys;
}

void name_methods(std::vector<Method>& methods, const std::vector<KeyValues>& all) {
  std::vector<std::string> labels, names;
  for (const auto& m : methods) labels.push_back(m.group.empty() ? m.algorithm.type->label(m.algorithm) : m.group);
  const auto any = [](std::size_t, std::size_t) { return true; };
  const auto alike = [](const std::vector<std::string>& texts, std::size_t row) {
    return [&texts, row](std::size_t i, std::size_t j) { return texts[i] == texts[row] && texts[j] == texts[row]; };
  };
  for (std::size_t i = 0; i < methods.size(); ++i) {
    auto& m = methods[i];
    if (m.group.empty())
      m.group = labels[i] +
                distinction(
                    all, i, [](const auto& v) { return v.of == KeyValue::Of::algorithm; }, any) +
                distinction(
                    all, i, [](const auto& v) { return v.of == KeyValue::Of::type; }, alike(labels, i));
    names.push_back(m.name.empty() ? m.group + m.dynamics->suffix() : m.name);
  }
  for (std::size_t i = 0; i < methods.size(); ++i)
    if (methods[i].name.empty())
      methods[i].name = names[i] + distinction(
                                       all, i, [](const auto&) { return true; }, alike(names, i));
}

}  // namespace sde::experiment
