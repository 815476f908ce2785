#include "recorded_keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

namespace sde::experiment {

std::string KeyValue::text() const {
  return std::visit(
      []<class T>(const T& v) {
        if constexpr (std::is_same_v<T, std::vector<double>> || std::is_same_v<T, std::vector<std::string>>)
          return fmt::format("[{}]", fmt::join(v, ", "));
        else
          return fmt::format("{}", v);
      },
      value);
}

const KeyValue* find(const KeyValues& values, const std::string& name) {
  const auto found = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.name == name; });
  return found == values.end() ? nullptr : &*found;
}

void RecordedKeys::fail(const std::string& key, const std::string& complaint) const {
  keys_.fail(key, complaint);
  std::abort();  // fail() throws; of a virtual function the compiler does not believe it
}

void RecordedKeys::forget(const std::string& name) {
  std::erase_if(values, [&](const auto& v) { return v.name == name; });
}

void RecordedKeys::forget_defaults_of_type() {
  std::erase_if(values, [&](const auto& v) { return v.of == KeyValue::Of::type && !has(v.name); });
}

}  // namespace sde::experiment
