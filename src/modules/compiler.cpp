#include "compiler.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/uuid/detail/sha1.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include "compile_kit.hpp"
#include "kernels.hpp"
#include "module.hpp"
#include "sde/core/error.hpp"
#include "sde/version.hpp"

namespace sde {

namespace fs = std::filesystem;

namespace {

/// A compiler with what sources are compiled with and linked to: of the installed package that holds the modules, or of
/// the build.
struct Kit {
  std::string compiler, ending;  ///< of sources
  std::vector<std::string> flags;
  std::vector<fs::path> includes;  ///< the library's first
  std::vector<fs::path> libraries;
};

std::string compiler_of(const ModuleSources& sources) {
  const char* own = std::getenv(sources.cuda.empty() ? "SDE_CXX" : "SDE_NVCC");
  if (own && *own) return own;
  return sources.cuda.empty() ? kit::compiler : kit::cuda_compiler;
}

std::vector<std::string> flags_of(const ModuleSources& sources) {
  if (!sources.cuda.empty()) {
    auto all = kit::cuda_flags;
    for (const auto& a : sources.cuda) all.push_back(fmt::format("-gencode=arch=compute_{},code=sm_{}", a, a));
    return all;
  }
  auto all = kit::flags;
  all.push_back("-march=" + kernel_level());
  if (kernel_level() == "x86-64-v4" || kernel_level() == "native")
    all.insert(all.end(), kit::narrow_stores.begin(), kit::narrow_stores.end());
  return all;
}

Kit find_kit(const ModuleSources& sources) {
  const bool cuda = !sources.cuda.empty();
  std::vector<Kit> all;
  for (const auto& folder : module_folders()) {
    const auto lib = fs::path(folder).parent_path(), include = lib.parent_path() / "include";
    all.push_back({.compiler = {},
                   .ending = {},
                   .flags = {},
                   .includes = {include, include / "sde/gpu"},
                   .libraries = {lib / "libsde.a"}});
    if (cuda) all.back().libraries.insert(all.back().libraries.begin(), lib / "libsde_cuda.a");
  }
  Kit build{.compiler = {},
            .ending = {},
            .flags = {},
            .includes = {kit::build_includes.begin(), kit::build_includes.end()},
            .libraries = {kit::build_library}};
  build.includes.emplace_back(kit::cuda_build_include);
  if (cuda) build.libraries.insert(build.libraries.begin(), kit::cuda_build_library);
  all.push_back(build);
  std::error_code error;
  for (auto& kit : all) {
    const auto there = [&](const fs::path& file) { return fs::exists(file, error); };
    if (!there(kit.includes.front() / "sde/model/make_typed_kernels.hpp") ||
        !std::all_of(kit.libraries.begin(), kit.libraries.end(), there))
      continue;
    kit.compiler = compiler_of(sources);
    kit.ending = cuda ? ".cu" : ".cpp";
    kit.includes.insert(kit.includes.end(), kit::other_includes.begin(), kit::other_includes.end());
    kit.flags = flags_of(sources);
    for (const auto& folder : kit.includes) kit.flags.push_back("-I" + folder.string());
    return kit;
  }
  throw IoError(
      fmt::format("formulas cannot be compiled: expected the library and its headers in {}, or in the "
                  "installation that has the kernels",
                  fmt::join(kit::build_includes, ", ")));
}

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class Digest {
 public:
  void add(const std::string& text) {
    const std::uint64_t size = text.size();
    hash_.process_bytes(&size, sizeof size);
    hash_.process_bytes(text.data(), text.size());
  }
  /// Which file it is, without its contents.
  void add_file(const fs::path& file) {
    std::error_code error;
    const auto real = fs::canonical(file, error);
    add(fmt::format("{} {} {}", real.string(), fs::file_size(real, error),
                    fs::last_write_time(real, error).time_since_epoch().count()));
  }
  std::string text() {
    boost::uuids::detail::sha1::digest_type digest;
    hash_.get_digest(digest);
    return fmt::format("{:08x}", fmt::join(std::begin(digest), std::end(digest), ""));
  }

 private:
  boost::uuids::detail::sha1 hash_;
};

/// The program of a name, as the system finds it.
fs::path on_path(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  std::error_code error;
  const char* path = std::getenv("PATH");
  std::stringstream parts(path ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(parts, folder, ':');)
    if (const auto file = fs::path(folder) / name; ::access(file.c_str(), X_OK) == 0) return file;
  return {};
}

/// A child process whose output goes to a file; killed where it is left.
class Child {
 public:
  Child(const std::vector<std::string>& command, const fs::path& log) {
    std::vector<char*> arguments;
    for (const auto& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    started_ = posix_spawnp(&process_, command.front().c_str(), &files, nullptr, arguments.data(), environ) == 0;
    posix_spawn_file_actions_destroy(&files);
  }
  Child(const Child&) = delete;
  ~Child() {
    if (!started_ || ended_) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  bool ended() {
    if (!started_) return true;
    int status = 0;
    if (!ended_ && ::waitpid(process_, &status, WNOHANG) == process_) {
      ended_ = true;
      good_ = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return ended_;
  }
  bool started() const { return started_; }
  /// Once it has ended.
  bool good() const { return good_; }

 private:
  pid_t process_ = 0;
  bool started_ = false, ended_ = false, good_ = false;
};

/// Waits for all; false where `stop` was set before.
bool wait_for(std::vector<std::unique_ptr<Child>>& children, const std::atomic<bool>& stop) {
  for (auto& child : children)
    while (!child->ended()) {
      if (stop) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  return true;
}

/// A folder that is gone when it is left.
struct TemporaryFolder {
  fs::path path;
  explicit TemporaryFolder(const fs::path& parent) {
    std::string name = (parent / "compiling-XXXXXX").string();
    if (::mkdtemp(name.data())) path = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code error;
    if (!path.empty()) fs::remove_all(path, error);
  }
};

std::string first_lines(const fs::path& log) {
  constexpr std::size_t kMost = 1000;
  return contents(log).substr(0, kMost);
}

}  // namespace

fs::path module_cache() {
  const auto from = [](const char* name) -> fs::path {
    const char* value = std::getenv(name);
    return value ? value : "";
  };
  if (const auto own = from("SDE_CACHE_DIR"); !own.empty()) return own;
  if (const auto user = from("XDG_CACHE_HOME"); user.is_absolute()) return user / "sde";
  if (const auto home = from("HOME"); home.is_absolute()) return home / ".cache/sde";
  return fs::temp_directory_path() / fmt::format("sde-{}", ::getuid());
}

std::string module_key(const ModuleSources& sources) {
  const Kit kit = find_kit(sources);
  Digest digest;
  digest.add(kVersion);
  for (const auto* list : {&sources.headers, &sources.units})
    for (const auto& file : *list) digest.add(file.name), digest.add(file.text);
  for (const auto& flag : kit.flags) digest.add(flag);
  digest.add_file(on_path(kit.compiler));
  for (const auto& library : kit.libraries) digest.add_file(library);
  std::vector<fs::path> headers;
  for (const auto& file : fs::recursive_directory_iterator(kit.includes.front() / "sde"))
    if (file.is_regular_file()) headers.push_back(file.path());
  std::sort(headers.begin(), headers.end());
  for (const auto& header : headers) digest.add(contents(header));
  return digest.text();
}

std::string compile_module(const ModuleSources& sources, const fs::path& file, const std::atomic<bool>& stop) {
  const Kit kit = find_kit(sources);
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  const TemporaryFolder folder(file.parent_path());
  if (folder.path.empty()) return fmt::format("{}: cannot be written", file.parent_path().string());
  for (const auto& header : sources.headers) std::ofstream(folder.path / (header.name + ".hpp")) << header.text;
  std::vector<std::unique_ptr<Child>> children;
  std::vector<std::string> link{kit.compiler, "-shared", "-o", (folder.path / "module.so").string()};
  for (const auto& unit : sources.units) {
    const auto source = folder.path / (unit.name + kit.ending), object = folder.path / (unit.name + ".o");
    std::ofstream(source) << unit.text;
    std::vector<std::string> command{kit.compiler};
    command.insert(command.end(), kit.flags.begin(), kit.flags.end());
    command.insert(command.end(), {"-c", source.string(), "-o", object.string()});
    children.push_back(std::make_unique<Child>(command, folder.path / (unit.name + ".log")));
    link.push_back(object.string());
  }
  if (!children.front()->started())
    return fmt::format("the compiler {} cannot be started (SDE_{} names another)", kit.compiler,
                       sources.cuda.empty() ? "CXX" : "NVCC");
  if (!wait_for(children, stop)) return "";
  for (std::size_t k = 0; k < children.size(); ++k)
    if (!children[k]->good())
      return fmt::format("{} failed: {}", kit.compiler, first_lines(folder.path / (sources.units[k].name + ".log")));
  for (const auto& library : kit.libraries) link.push_back(library.string());
  link.insert(link.end(), {sources.cuda.empty() ? "-Wl,--exclude-libs,ALL" : "-Xlinker=--exclude-libs,ALL", "-lfmt"});
  children.clear();
  children.push_back(std::make_unique<Child>(link, folder.path / "link.log"));
  if (!wait_for(children, stop)) return "";
  if (!children.front()->good())
    return fmt::format("{} failed to link: {}", kit.compiler, first_lines(folder.path / "link.log"));
  fs::rename(folder.path / "module.so", file, error);
  return error ? fmt::format("{}: {}", file.string(), error.message()) : "";
}

}  // namespace sde
