// The named parameters of what a user chooses by name: a loss, an algorithm. Each is asked for once, with its meaning,
// default and range, so that reading it, describing it (`sde list`) and refusing a bad value cannot come apart. Where
// the values come from is the caller's business: an experiment file, the command line, or nothing (Defaults).
#pragma once

#include <string>
#include <vector>

namespace sde {

/// The name of a parameter, and what it means.
struct Key {
  const char* name;
  const char* meaning;
};

/// Every function throws InputError, which names the key, what was expected and what came.
class Keys {
 public:
  virtual ~Keys() = default;
  /// Whether a value was given.
  virtual bool has(const std::string& key) const = 0;
  /// A finite number; `otherwise` not a number: it has to be given.
  virtual double number(Key, double otherwise) = 0;
  virtual double positive(Key, double otherwise) = 0;
  virtual double non_negative(Key, double otherwise) = 0;
  /// A number in [least, most].
  virtual double between(Key, double otherwise, double least, double most) = 0;
  /// A number above 0 and below 1.
  virtual double fraction(Key, double otherwise) = 0;
  /// A whole number in [least, most].
  virtual long integer(Key, long otherwise, long least, long most) = 0;
  virtual bool boolean(Key, bool otherwise) = 0;
  /// One of `options`.
  virtual std::string choice(Key, const std::string& otherwise, const std::vector<std::string>& options) = 0;
  virtual std::string text(Key, const std::string& otherwise) = 0;
  /// Any number of finite numbers, or of texts; none where the key is missing.
  virtual std::vector<double> numbers(Key) = 0;
  virtual std::vector<std::string> texts(Key) = 0;
  /// Refuses the value of a key for a reason that is not its range alone.
  [[noreturn]] virtual void fail(const std::string& key, const std::string& complaint) const = 0;
  /// The same of a number: "expected WHAT, got 2".
  [[noreturn]] void expected(const std::string& key, const std::string& what, double got) const;
};

/// What is known of a key.
struct KeyDescription {
  std::string name, meaning;
  std::string values;     ///< those allowed, in words
  std::string otherwise;  ///< the default; empty where the key has to be given
};

/// Gives the defaults, and keeps what was asked for.
class Defaults final : public Keys {
 public:
  bool has(const std::string&) const override { return false; }
  double number(Key, double otherwise) override;
  double positive(Key, double otherwise) override;
  double non_negative(Key, double otherwise) override;
  double between(Key, double otherwise, double least, double most) override;
  /// 0.5 where it has to be given.
  double fraction(Key, double otherwise) override;
  long integer(Key, long otherwise, long least, long most) override;
  bool boolean(Key, bool otherwise) override;
  std::string choice(Key, const std::string& otherwise, const std::vector<std::string>& options) override;
  std::string text(Key, const std::string& otherwise) override;
  std::vector<double> numbers(Key) override;
  std::vector<std::string> texts(Key) override;
  [[noreturn]] void fail(const std::string& key, const std::string& complaint) const override;

  std::vector<KeyDescription> asked;
};

}  // namespace sde
