// What an interrupted run leaves: a damaged file is refused whatever is wrong with it, the one before takes its place,
// and whoever pauses however often ends with the same bits.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>

#include "../src/experiment/checkpoint.hpp"
#include "../src/experiment/durable_file.hpp"
#include "fake_ranks.hpp"
#include "problems.hpp"
#include "sde/ensemble/bytes.hpp"
#include "sde/ensemble/parallel.hpp"
#include "sde/verify/paired.hpp"
#include "sde/version.hpp"

namespace {
/// The largest piece of memory that was asked for at once.
std::atomic<std::size_t> largest{0};
void* taken(std::size_t size) {
  for (auto seen = largest.load(); seen < size && !largest.compare_exchange_weak(seen, size);)
    ;
  if (void* p = std::malloc(size > 0 ? size : 1)) return p;
  throw std::bad_alloc();
}
}  // namespace
void* operator new(std::size_t size) { return taken(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

using namespace sde;
using namespace sde::test;
using ensemble::packed;
using ensemble::unpacked;

namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() : path(fs::temp_directory_path() / ("sde_test_checkpoints_" + std::to_string(getpid()))) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  const fs::path path;
};

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

Problem ring() { return problem_of(loss::Ring{0.5}, constant({0.8, 0.3, -0.2, 0.5}, 2), {0, 1}); }
Method method(Kind kind, long paths) {
  Method m = slow_method(kind, 2, 2, 0.2, 0.05, paths);
  m.algorithm.rate.eta = 0.05;
  m.algorithm.sync.H = 4;
  return m;
}
const Observation kTimes = at({0, 0.05, 0.1, 0.15, 0.2}, {"x1"}, 2);

/// Of a method that pauses in the middle of its only block of paths.
experiment::RunState on_its_way() {
  experiment::RunState state;
  state.methods.resize(1);
  CHECK(
      !ensemble::resume(ring(), method(Kind::local_sgd, 32), kTimes, {.pause = [] { return true; }}, state.methods[0]));
  CHECK(state.methods[0].begun.size() == 1);
  return state;
}
experiment::Experiment experiment_of(const std::string& source) {
  experiment::Experiment e;
  e.source = source;
  return e;
}

/// From the third question on whether to pause, the answer is yes.
auto soon() {
  return [asked = std::make_shared<std::atomic<long>>(0)] { return ++*asked >= 3; };
}

}  // namespace

TEST_CASE(
    "a checkpoint with any one byte changed, or cut short anywhere, is refused; none takes more memory than it has "
    "bytes") {
  const Folder folder;
  const auto file = folder.path / "main.checkpoint";
  const auto e = experiment_of("these settings");
  const auto state = on_its_way();
  experiment::save_checkpoint(file, e, state);
  CHECK(packed(experiment::load_checkpoint(file, e)) == packed(state));
  const auto sound = content(file);
  CHECK(sound.size() > 1000);
  // A message, and a buffer of the file stream, beside the file.
  const std::size_t most = sound.size() + (std::size_t{16} << 10);
  std::size_t accepted = 0, unnamed = 0, spent = 0;
  const auto look = [&] {
    largest = 0;
    try {
      experiment::load_checkpoint(file, e);
      ++accepted;
    } catch (const InputError& error) {
      const std::string text = error.what();
      unnamed +=
          text.find(file.string()) == std::string::npos || text.find("not a complete checkpoint") == std::string::npos;
    }
    spent = std::max(spent, largest.load());
  };
  const auto put = [&](std::size_t at, char byte) {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at)).put(byte);
  };
  for (std::size_t i = 0; i < sound.size(); ++i)
    for (const int mask : {0x01, 0x80, 0xff}) {
      put(i, static_cast<char>(sound[i] ^ mask));
      look();
      put(i, sound[i]);
    }
  CHECK(packed(experiment::load_checkpoint(file, e)) == packed(state));
  for (const std::size_t more : {4096, 8, 1}) {
    fs::resize_file(file, sound.size() + more);
    look();
  }
  for (std::size_t size = sound.size(); size-- > 0;) {
    fs::resize_file(file, size);
    look();
  }
  CHECK(accepted == 0);
  CHECK(unnamed == 0);
  CHECK(spent <= most);
}

TEST_CASE("the checkpoint before stays, and takes the place of one that is damaged or missing") {
  const Folder folder;
  const auto file = folder.path / "main.checkpoint";
  const auto e = experiment_of("these settings");
  std::string told;
  const auto load = [&] { return experiment::load_checkpoint(file, e, [&](const std::string& text) { told = text; }); };
  CHECK_THROWS_WITH_AS(load(), doctest::Contains("no checkpoint there"), InputError);
  experiment::RunState first, second = on_its_way();
  first.methods.resize(3);
  experiment::save_checkpoint(file, e, first);
  experiment::save_checkpoint(file, e, second);
  CHECK(packed(load()) == packed(second));
  CHECK(told.empty());

  auto bytes = content(file);
  bytes[bytes.size() / 2] ^= 1;
  write(file, bytes);
  CHECK(packed(load()) == packed(first));
  CHECK(told.find("main.checkpoint: not a complete checkpoint (its checksum is wrong") != std::string::npos);
  CHECK(told.find("main.checkpoint.previous") != std::string::npos);
  // It is in the place of the damaged one: the next checkpoint does not put that in the place of a sound one.
  CHECK(!fs::exists(experiment::previous(file)));
  fs::rename(file, experiment::previous(file));
  CHECK(packed(load()) == packed(first));
  CHECK(told.find("missing") != std::string::npos);

  write(file, bytes);
  write(experiment::previous(file), "");
  CHECK_THROWS_WITH_AS(load(), doctest::Contains("main.checkpoint.previous: not a complete checkpoint"), InputError);
}

TEST_CASE("another version's checkpoint, and other settings', are refused in so many words") {
  const Folder folder;
  const auto file = folder.path / "main.checkpoint";
  const auto e = experiment_of("these settings");
  experiment::save_checkpoint(file, e, {});
  CHECK_THROWS_WITH_AS(experiment::load_checkpoint(file, experiment_of("others")), doctest::Contains("another seed"),
                       InputError);
  auto other = experiment::unseal(content(file));
  other.program = "0.0.1";
  write(file, experiment::seal(other));
  const std::string here = std::string("written by sde 0.0.1, this is sde ") + kVersion;
  CHECK_THROWS_WITH_AS(experiment::load_checkpoint(file, e), doctest::Contains(here.c_str()), InputError);
  // Formats up to 6 had no mark of their own.
  write(file, std::string("\x16\0\0\0\0\0\0\0serialization::archive", 30) + std::string(4000, 'x'));
  CHECK_THROWS_WITH_AS(experiment::load_checkpoint(file, e), doctest::Contains("of an older sde"), InputError);
}

TEST_CASE("whoever pauses now and then, and goes on from a file, ends with the same bits: methods") {
  const Folder folder;
  const auto file = folder.path / "main.checkpoint";
  const auto e = experiment_of("these settings");
  const Problem p = ring();
  for (const auto kind : {Kind::local_sgd, Kind::slow_local_sgd}) {
    const Method m = method(kind, ensemble::kGroupPaths + 70);
    const auto whole = packed(ensemble::run(p, m, kTimes, {.threads = 2}));
    for (const int threads : {1, 3}) {
      experiment::RunState state;
      state.methods.resize(1);
      int pauses = 0;
      while (!ensemble::resume(p, m, kTimes, {.threads = threads, .pause = soon()}, state.methods[0])) {
        if (++pauses % 20 == 0) {
          experiment::save_checkpoint(file, e, state);
          state = experiment::load_checkpoint(file, e);
        }
      }
      CHECK(pauses > 100);
      CHECK(packed(state.methods[0].total) == whole);
    }
    const auto all = on_ranks(3, [&](auto& r) {
      ensemble::MethodState state;
      // Not all at the same moment, and rank 2 never.
      const ensemble::Control control{
          .threads = 2, .pause = [&r, each = soon()] { return r.rank() < 2 && each(); }, .ranks = &r};
      int pauses = 0;
      while (!ensemble::resume(p, m, kTimes, control, state)) ++pauses;
      CHECK(pauses > 10);
      return packed(state.total);
    });
    for (const auto& r : all) {
      CHECK(r.error == "");
      CHECK(r.result == whole);
    }
  }
}

TEST_CASE("whoever pauses now and then, and goes on from a file, ends with the same bits: pairs") {
  const Problem p = ring();
  verify::Pairing pairing;
  pairing.algorithm = {.workers = 2, .batch = 4, .seed = 7};
  pairing.algorithm.rate.eta = 0.05;
  pairing.algorithm.sync.H = 4;
  pairing.predictions = {verify::theory(pairing.algorithm)};
  pairing.times = {0.1};
  pairing.dt = 0.05;
  pairing.functions = {verify::coordinate(0), verify::sharpness()};
  pairing.paths = ensemble::kGroupPaths + 700;
  const auto whole = packed(verify::run_paired(p, pairing, {.threads = 2}));
  for (const int threads : {1, 3}) {
    verify::PairingState state;
    int pauses = 0;
    while (!verify::resume_paired(p, pairing, {.threads = threads, .pause = soon()}, state)) {
      state = unpacked<verify::PairingState>(packed(state));
      ++pauses;
    }
    CHECK(pauses > 20);
    CHECK(packed(state.total) == whole);
  }
  // Interrupted, what is complete of a group stays.
  std::atomic<bool> stop{false};
  verify::PairingState state;
  ensemble::Control control{.threads = 2, .progress = [&](double part) { stop = part > 0.5; }, .interrupted = &stop};
  CHECK(!verify::resume_paired(p, pairing, control, state));
  CHECK(state.begun.size() + static_cast<std::size_t>(state.merged) > 0);
  CHECK(verify::resume_paired(p, pairing, {.threads = 2}, state));
  CHECK(packed(state.total) == whole);
}
