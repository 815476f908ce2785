// Checked reading of one table of an experiment file. Every key read is remembered; finish() rejects the others.
#pragma once

#define TOML_HEADER_ONLY 1
#define TOML_FLOAT_CHARCONV 1  // numbers are printed as short as they read back; off by default for compilers of 2020
#include <toml++/impl/preprocessor.h>
// toml++ 3.3 assumes of "[,]" what its next lines check: an abort where there are assertions, undefined with Clang
// without.
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(expr) static_assert(true)
#include <toml++/toml.h>

#include <string>
#include <vector>

#include "sde/core/keys.hpp"
#include "sde/core/suggestion.hpp"

namespace sde::experiment {

/// The place of what no file has.
inline constexpr const char* kCommandLine = "command line";

class Section final : public Keys {
 public:
  /// `path` is the table's dotted name, "" for the file itself. `file` is blamed for what is missing; without one, the
  /// command line.
  Section(const toml::table& table, std::string path, std::string file = "")
      : table_(table), path_(std::move(path)), file_(std::move(file)) {}
  /// A table laid over another: what it does not say is read from `defaults`.
  Section(const Section& table, const Section& defaults)
      : table_(table.table_),
        path_(table.path_),
        file_(table.file_),
        defaults_(&defaults.table_),
        defaults_path_(defaults.path_) {}

  bool has(const std::string& key) const override { return get(key) != nullptr; }
  double number(Key, double otherwise) override;
  double positive(Key, double otherwise) override;
  double non_negative(Key, double otherwise) override;
  double between(Key, double otherwise, double least, double most) override;
  double fraction(Key, double otherwise) override;
  long integer(Key, long otherwise, long least, long most) override;
  bool boolean(Key, bool otherwise) override;
  std::string choice(Key, const std::string& otherwise, const std::vector<std::string>& options) override;
  std::string text(Key, const std::string& otherwise) override;
  std::vector<double> numbers(Key) override;
  std::vector<std::string> texts(Key) override;
  /// A table below this one; an empty one where it is missing.
  Section section(const std::string& key);
  /// The tables of an array of tables (one table counts as one); empty where missing.
  std::vector<Section> sections(const std::string& key);
  /// Marks a key as known without reading it.
  void know(const std::string& key) { known_.push_back(key); }
  /// Whether a key was asked for, not only known.
  bool reads(const std::string& key) const;
  /// Throws where a key was never asked for.
  void finish() const;
  /// "file.toml:12: training.eta" and the complaint, thrown as InputError.
  [[noreturn]] void fail(const std::string& key, const std::string& complaint) const override;
  const toml::table& table() const { return table_; }
  /// The key with the dotted name of the table that holds it.
  std::string name(const std::string& key) const;
  /// "file.toml:12", or "command line": where a key stands, or its table where it is missing.
  std::string place(const std::string& key) const;

 private:
  const toml::node* get(const std::string& key) const;
  const toml::node* find(const std::string& key);
  const toml::table& table_;
  std::string path_, file_;
  const toml::table* defaults_ = nullptr;
  std::string defaults_path_;
  std::vector<std::string> known_, read_;
};

}  // namespace sde::experiment
