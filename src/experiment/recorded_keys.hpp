// The values that a method has for its keys, as they were read: for the dataset, for names, for the table.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "sde/core/keys.hpp"

namespace sde::experiment {

/// A key of a method, with the value that was given or is the default.
struct KeyValue {
  std::string name, meaning;
  std::variant<double, long, bool, std::string, std::vector<double>, std::vector<std::string>> value;
  /// What it belongs to: all algorithms, this type of algorithm, or how a row is run (its dynamics, seed, paths).
  enum class Of { algorithm, type, row } of = Of::row;

  /// As in an experiment file but without quotes, numbers as short as they read back.
  std::string text() const;
};
/// Of one method, those that apply to it.
using KeyValues = std::vector<KeyValue>;

/// The value of `name`; nullptr where the key does not apply.
const KeyValue* find(const KeyValues&, const std::string& name);

/// Reads from other keys, and keeps what was read.
class RecordedKeys final : public Keys {
 public:
  explicit RecordedKeys(Keys& keys) : keys_(keys) {}

  bool has(const std::string& key) const override { return keys_.has(key); }
  double number(Key key, double otherwise) override { return keep(key, keys_.number(key, otherwise)); }
  double positive(Key key, double otherwise) override { return keep(key, keys_.positive(key, otherwise)); }
  double non_negative(Key key, double otherwise) override { return keep(key, keys_.non_negative(key, otherwise)); }
  double between(Key key, double otherwise, double least, double most) override {
    return keep(key, keys_.between(key, otherwise, least, most));
  }
  double fraction(Key key, double otherwise) override { return keep(key, keys_.fraction(key, otherwise)); }
  long integer(Key key, long otherwise, long least, long most) override {
    return keep(key, keys_.integer(key, otherwise, least, most));
  }
  bool boolean(Key key, bool otherwise) override { return keep(key, keys_.boolean(key, otherwise)); }
  std::string choice(Key key, const std::string& otherwise, const std::vector<std::string>& options) override {
    return keep(key, keys_.choice(key, otherwise, options));
  }
  std::string text(Key key, const std::string& otherwise) override { return keep(key, keys_.text(key, otherwise)); }
  std::vector<double> numbers(Key key) override { return keep(key, keys_.numbers(key)); }
  std::vector<std::string> texts(Key key) override { return keep(key, keys_.texts(key)); }
  [[noreturn]] void fail(const std::string& key, const std::string& complaint) const override;

  /// What the next keys belong to.
  void belong_to(KeyValue::Of of) { of_ = of; }
  /// Forgets a value that the method does not take.
  void forget(const std::string& name);
  /// Forgets the type's values that are defaults: of a limit, they stand for nothing.
  void forget_defaults_of_type();

  KeyValues values;

 private:
  template <class T>
  T keep(Key key, T value) {
    values.push_back({key.name, key.meaning, value, of_});
    return value;
  }
  Keys& keys_;
  KeyValue::Of of_ = KeyValue::Of::row;
};

}  // namespace sde::experiment
