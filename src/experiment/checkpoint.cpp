#include "checkpoint.hpp"

#include <fmt/format.h>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/array.hpp>
#include <boost/serialization/map.hpp>
#include <boost/serialization/split_free.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <fstream>
#include <sstream>

#include "dataset.hpp"
#include "sde/core/suggestion.hpp"
#include "sde/ensemble/parallel.hpp"
#include "sde/version.hpp"

namespace boost::serialization {

template <class Archive>
void save(Archive& a, const sde::slow::Vector& v, unsigned) {
  const std::vector<double> plain(v.begin(), v.end());
  a << plain;
}
template <class Archive>
void load(Archive& a, sde::slow::Vector& v, unsigned) {
  std::vector<double> plain;
  a >> plain;
  v = Eigen::Map<const sde::slow::Vector>(plain.data(), static_cast<Eigen::Index>(plain.size()));
}
template <class Archive>
void serialize(Archive& a, sde::slow::Vector& v, unsigned version) {
  split_free(a, v, version);
}

}  // namespace boost::serialization

namespace sde::experiment {

namespace {

/// Of the program, and of what it writes: 6 has the spectra that were met, 5 slow SDEs at the
/// ends of rounds, 4 pairs and the paths of samples; groups of blocks are counted, so their
/// size belongs to it.
const std::string& version() {
  static const std::string text =
      fmt::format("{}, checkpoint format 6, blocks of {} paths", kVersion, ensemble::kBlockPaths);
  return text;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& file, const Experiment& experiment, const RunState& state) {
  std::ostringstream out;
  {
    boost::archive::binary_oarchive archive(out);
    archive << version() << experiment.source << state;
  }
  const std::string bytes = out.str();
  write_file(file, bytes.data(), bytes.size());
}

RunState load_checkpoint(const std::filesystem::path& file, const Experiment& experiment) {
  std::ifstream in(file, std::ios::binary);
  if (!in)
    throw InputError(fmt::format(
        "--resume: {}: no checkpoint there (an interrupted run leaves one in its --out folder)", file.string()));
  std::string written, source;
  RunState state;
  try {
    boost::archive::binary_iarchive archive(in);
    archive >> written >> source;
    if (written != version())
      throw InputError(
          fmt::format("--resume: {}: written by sde {}, this is sde {}: expected the same version (or run "
                      "without --resume to start anew)",
                      file.string(), written, version()));
    if (source != experiment.source)
      throw InputError(fmt::format(
          "--resume: {}: belongs to other settings or another seed: expected the same experiment file, --set and "
          "--seed (or run without --resume to start anew)",
          file.string()));
    archive >> state;
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& e) {
    throw InputError(fmt::format("--resume: {}: not a complete checkpoint ({})", file.string(), e.what()));
  }
  return state;
}

}  // namespace sde::experiment
