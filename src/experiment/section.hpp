// Checked reading of one table of an experiment file. Every key read is remembered; finish() rejects the others.
#pragma once

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <limits>
#include <string>
#include <vector>

#include "error.hpp"

namespace sde::experiment {

class Section {
 public:
  /// `path` is the table's dotted name, "" for the file itself.
  Section(const toml::table& table, std::string path) : table_(table), path_(std::move(path)) {}
  /// A table laid over another: what it does not say is read from `defaults`.
  Section(const Section& table, const Section& defaults)
      : table_(table.table_), path_(table.path_), defaults_(&defaults.table_), defaults_path_(defaults.path_) {}

  bool has(const std::string& key) const { return get(key) != nullptr; }
  double number(const std::string& key, double otherwise);
  double positive(const std::string& key, double otherwise);
  double non_negative(const std::string& key, double otherwise);
  /// A whole number in [least, most].
  long integer(const std::string& key, long otherwise, long least, long most = std::numeric_limits<int>::max());
  bool boolean(const std::string& key, bool otherwise);
  std::string text(const std::string& key, const std::string& otherwise);
  /// One of `options`.
  std::string choice(const std::string& key, const std::string& otherwise, const std::vector<std::string>& options);
  std::vector<double> numbers(const std::string& key);
  std::vector<std::string> texts(const std::string& key);
  /// A table below this one; an empty one where it is missing.
  Section section(const std::string& key);
  /// The tables of an array of tables (one table counts as one); empty where missing.
  std::vector<Section> sections(const std::string& key);
  /// Marks a key as known without reading it.
  void know(const std::string& key) { known_.push_back(key); }
  /// Throws where a key was never asked for.
  void finish() const;
  /// "file.toml:12: training.eta" and the complaint, thrown as InputError.
  [[noreturn]] void fail(const std::string& key, const std::string& complaint) const;
  const toml::table& table() const { return table_; }
  /// The key with the dotted name of the table that holds it.
  std::string name(const std::string& key) const;

 private:
  const toml::node* get(const std::string& key) const;
  const toml::node* find(const std::string& key);
  std::string place(const toml::node* node) const;
  const toml::table& table_;
  std::string path_;
  const toml::table* defaults_ = nullptr;
  std::string defaults_path_;
  std::vector<std::string> known_;
};

}  // namespace sde::experiment
