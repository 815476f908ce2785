// The keys of the methods as variables over the runs, from what was asked for when the file was read (methods.hpp).
#include <nlohmann/json.hpp>

#include "dataset_file.hpp"
#include "method_names.hpp"
#include "methods.hpp"

namespace sde::experiment {

namespace {

/// The values of one key, and how they are written.
class KeyVariable {
 public:
  KeyVariable(const Experiment& e, const std::string& key) : key_(key) {
    for (const auto& settings : e.settings) {
      values_.push_back(find(settings, key));
      if (values_.back()) known_ = values_.back();
    }
  }
  /// Whether any method has it.
  bool any() const { return known_ != nullptr; }
  std::string meaning() const { return key_ + ", " + known_->meaning; }

  void write(DatasetFile& f, const std::string& name) const {
    if (std::holds_alternative<double>(known_->value))
      f.doubles(name, {f.run}, meaning(), "1", numbers<double>());
    else if (std::holds_alternative<long>(known_->value))
      write_whole<long>(f, name);
    else if (std::holds_alternative<bool>(known_->value))
      write_whole<bool>(f, name);
    else
      write_text(f, name);
  }

 private:
  /// Not a number where it does not apply.
  template <class T>
  std::vector<double> numbers() const {
    std::vector<double> all;
    for (const auto* v : values_) all.push_back(v ? static_cast<double>(std::get<T>(v->value)) : kNan);
    return all;
  }
  /// Integers have no value that is none: numbers where a method has not the key.
  template <class T>
  void write_whole(DatasetFile& f, const std::string& name) const {
    std::vector<long long> all;
    for (const auto* v : values_) {
      if (!v) return f.doubles(name, {f.run}, meaning(), "1", numbers<T>());
      all.push_back(static_cast<long long>(std::get<T>(v->value)));
    }
    f.integers(name, {f.run}, meaning(), "1", all);
  }
  void write_text(DatasetFile& f, const std::string& name) const {
    std::vector<std::string> all;
    for (const auto* v : values_) all.push_back(v ? v->text() : "");
    f.texts(name, f.run, meaning(), all);
  }

  const std::string key_;
  std::vector<const KeyValue*> values_;
  const KeyValue* known_ = nullptr;
};

}  // namespace

void write_keys(DatasetFile& f) {
  nlohmann::json variables = nlohmann::json::object(), differing = nlohmann::json::array();
  for (const auto& key : method_keys()) {
    const KeyVariable values(f.experiment, key.name);
    if (!values.any()) continue;
    // H, for one, is what the rounds have at the peak learning rate, the key the least of them.
    const std::string name = f.has(key.name) ? key.name + "_given" : key.name;
    values.write(f, name);
    variables[key.name] = name;
  }
  for (const auto& key : differing_keys(f.experiment.methods, f.experiment.settings)) differing.push_back(key);
  f.group.putAtt("keys", variables.dump());
  f.group.putAtt("differing_keys", differing.dump());
}

}  // namespace sde::experiment
