#include "checkpoint.hpp"

#include <fmt/format.h>

#include <boost/uuid/detail/sha1.hpp>
#include <cstring>
#include <fstream>

#include "durable_file.hpp"
#include "sde/core/suggestion.hpp"
#include "sde/ensemble/bytes.hpp"
#include "sde/ensemble/parallel.hpp"
#include "sde/version.hpp"

namespace sde::experiment {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kFormat = 7;  ///< of the file around the state
constexpr std::size_t kHash = 20;

/// Of the program, and of the states it writes: groups of blocks are counted, so their size belongs to it.
const std::string& version() {
  static const std::string text =
      fmt::format("{}, checkpoint format {}, blocks of {} paths", kVersion, kFormat, ensemble::kBlockPaths);
  return text;
}

/// What a file begins with.
struct Header {
  char mark[16] = {'s', 'd', 'e', ' ', 'c', 'h', 'e', 'c', 'k', 'p', 'o', 'i', 'n', 't', '\n', '\0'};
  std::uint32_t format = kFormat, program_size = 0;
  std::uint64_t state_size = 0;
  char settings[kHash] = {};
  char checksum[kHash] = {};  ///< of what is before it, and of all that follows
};
static_assert(sizeof(Header) == 32 + 2 * kHash, "every byte of a file must be some field's");

class Sha1 {
 public:
  Sha1& add(const void* from, std::size_t size) {
    hash_.process_bytes(from, size);
    return *this;
  }
  std::string bytes() {
    boost::uuids::detail::sha1::digest_type words;
    hash_.get_digest(words);
    std::string text(kHash, '\0');
    for (std::size_t i = 0; i < kHash; ++i) text[i] = static_cast<char>(words[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
    return text;
  }

 private:
  boost::uuids::detail::sha1 hash_;
};

std::string checksum(const Header& header, const char* content, std::size_t size) {
  return Sha1().add(&header, offsetof(Header, checksum)).add(content, size).bytes();
}

/// All bytes of a file; nothing where there is none. Throws InputError where it cannot be read.
std::optional<std::string> bytes_of(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  const auto size = fs::is_regular_file(file, error) ? fs::file_size(file, error) : 0;
  std::string bytes(size, '\0');
  if (error || !in.read(bytes.data(), static_cast<std::streamsize>(size))) throw InputError("it cannot be read");
  return bytes;
}

}  // namespace

std::string hash_of(const std::string& settings) { return Sha1().add(settings.data(), settings.size()).bytes(); }

std::string seal(const Sealed& sealed) {
  Header header;
  header.program_size = static_cast<std::uint32_t>(sealed.program.size());
  header.state_size = sealed.state.size();
  std::memcpy(header.settings, sealed.settings.data(), kHash);
  std::string bytes(sizeof header, '\0');
  bytes.reserve(sizeof header + sealed.program.size() + sealed.state.size());
  bytes += sealed.program;
  bytes += sealed.state;
  const auto sum = checksum(header, bytes.data() + sizeof header, bytes.size() - sizeof header);
  std::memcpy(header.checksum, sum.data(), kHash);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

Sealed unseal(const std::string& bytes) {
  Header header;
  const Header expected;
  if (bytes.size() < sizeof header)
    throw InputError(fmt::format("it has {} bytes, less than any checkpoint", bytes.size()));
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.mark, expected.mark, sizeof header.mark) != 0)
    throw InputError(fmt::format("it is none, or of an older sde: this is sde {}", version()));
  const char* const content = bytes.data() + sizeof header;
  const std::size_t size = bytes.size() - sizeof header;
  if (checksum(header, content, size) != std::string(header.checksum, kHash) || header.program_size > size ||
      header.state_size != size - header.program_size)
    throw InputError("its checksum is wrong: the file is damaged or cut short");
  return {std::string(content, header.program_size), std::string(header.settings, kHash),
          std::string(content + header.program_size, header.state_size)};
}

void save_state(const fs::path& file, const std::string& settings, const std::string& state) {
  replace_file(file, seal({version(), hash_of(settings), state}));
}

bool has_state(const fs::path& file) { return fs::exists(file) || fs::exists(previous(file)); }

void remove_state(const fs::path& file) {
  std::error_code none;
  fs::remove(previous(file), none);
  fs::remove(file, none);
}

std::string load_state(const fs::path& file, const std::string& settings,
                       const std::function<void(const std::string&)>& say) {
  std::string damaged;  // what is wrong with those that were looked at
  for (const auto& one : {file, previous(file)}) {
    Sealed sealed;
    try {
      const auto bytes = bytes_of(one);
      if (!bytes) continue;
      sealed = unseal(*bytes);
    } catch (const InputError& e) {
      damaged +=
          fmt::format("{}{}: not a complete checkpoint ({})", damaged.empty() ? "" : "; ", one.string(), e.what());
      continue;
    }
    if (sealed.program != version())
      throw InputError(
          fmt::format("--resume: {}: written by sde {}, this is sde {}: expected the same version (or run "
                      "without --resume to start anew)",
                      one.string(), sealed.program, version()));
    if (sealed.settings != hash_of(settings))
      throw InputError(fmt::format(
          "--resume: {}: belongs to other settings or another seed: expected the same experiment file, --set and "
          "--seed (or run without --resume to start anew)",
          one.string()));
    if (one != file) {
      say(fmt::format("{}: the run goes on from the checkpoint before, {}, which takes its name",
                      damaged.empty() ? file.string() + ": missing" : damaged, one.string()));
      std::error_code none;
      fs::rename(one, file, none);  // or the next checkpoint would put the damaged one in the place of the sound one
    }
    return std::move(sealed.state);
  }
  if (!damaged.empty()) throw InputError("--resume: " + damaged);
  throw InputError(fmt::format("--resume: {}: no checkpoint there (an interrupted run leaves one in its --out folder)",
                               file.string()));
}

void save_checkpoint(const fs::path& file, const Experiment& experiment, const RunState& state) {
  save_state(file, experiment.source, ensemble::packed(state));
}

RunState load_checkpoint(const fs::path& file, const Experiment& experiment,
                         const std::function<void(const std::string&)>& say) {
  return ensemble::unpacked<RunState>(load_state(file, experiment.source, say));
}

}  // namespace sde::experiment
