// Keys of an experiment file that change nothing: they are said, and not refused, since a file may serve several runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sde/ensemble/method.hpp"
#include "section.hpp"

namespace sde::experiment {

/// Learns of one method after the other what became of the keys of [training] and of its own.
class Effects {
 public:
  /// `training` must outlive it.
  explicit Effects(const Section& training) : training_(training) {}
  /// A [[method]] laid over [training], once it has been read.
  void add(const Section&, const ensemble::Method&);
  /// When all methods have been added; `run` is [experiment], of whose keys methods may have their own.
  void finish(const Section& run);
  /// "file.toml:12: training.H has no effect: every method that reads it has its own".
  std::vector<std::string> notes() const;

 private:
  /// Of a key of [training].
  struct Use {
    bool has_effect = false, replaced = false;
    std::string why_not;  ///< where a method asks for it in vain
  };
  /// Of a key that --set gives to methods.
  struct OfLine {
    int methods = 0;
    bool has_effect = false;
  };
  struct Note {
    std::string place;  ///< of the first
    std::vector<std::string> names;
    std::string key, why;
  };
  void note(const Section&, const std::string& key, const std::string& why);

  const Section& training_;
  std::map<std::string, Use> uses_;
  std::map<std::string, int> own_;  ///< methods that have their own of a key of [experiment], or none
  std::map<std::string, OfLine> of_line_;
  int methods_ = 0;
  std::vector<Note> notes_;
};

}  // namespace sde::experiment
