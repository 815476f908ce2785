#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <new>
#include <system_error>
#include <thread>

#include "../modules/launch.hpp"
#include "cli.hpp"
#include "sde/core/suggestion.hpp"
#include "sde/ensemble/method.hpp"
#include "sde/manifold/flow_map.hpp"
#include "sde/model/device_model.hpp"
#include "sde/version.hpp"

namespace {

void complain(const std::string& what) {
  const bool colored = sde::cli::color();
  fmt::print(stderr, "{}sde:{} {}\n", colored ? "\x1b[31m" : "", colored ? "\x1b[0m" : "", what);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace sde::cli;
  std::signal(SIGXFSZ, SIG_IGN);  // beyond ulimit -f a write fails, and says so
  std::string command_line;
  for (int i = 0; i < argc; ++i) command_line += (i ? " " : "") + std::string(argv[i]);

  CLI::App app{"Slow SDEs of Local SGD beside the discrete algorithms"};
  app.set_version_flag("--version", std::string("sde ") + sde::kVersion);
  app.require_subcommand(1);
  app.footer(
      "Example:\n  sde run experiments/main.toml\n\n"
      "Exit codes: 0 done, 1 a claim failed, 2 bad usage or input, 3 numerical failure, 4 input/output failure, 130 "
      "interrupted");
  const Command commands[] = {add_run(app, command_line),
                              add_verify(app),
                              add_terms(app),
                              add_bench(app),
                              add_list(app),
                              add_plot(app),
                              add_report(app),
                              add_info(app)};
  // Before there are ranks that can agree, the first process of a launcher speaks. The others wait a little: most
  // launchers end all when one has failed.
  const bool first = sde::launch().rank == 0;
  const auto refused = [&](int code, const std::function<void()>& say) {
    if (first)
      say();
    else
      std::this_thread::sleep_for(std::chrono::seconds(1));
    return code;
  };
  try {
    check_subcommand(app, argc, argv);
    app.parse(argc, argv);
  } catch (const sde::InputError& e) {
    return refused(kBadInput, [&] { complain(e.what()); });
  } catch (const CLI::ExtrasError&) {
    return refused(kBadInput, [&] { complain(unknown_arguments(app)); });
  } catch (const CLI::ParseError& e) {
    return refused(e.get_exit_code() == 0 ? kDone : kBadInput, [&] { app.exit(e); });
  }
  std::unique_ptr<sde::ensemble::Ranks> ranks;  // until the end: then it waits for the others
  bool speaks = true;
  const auto failed = [&](const std::string& what, int code) {
    if (speaks)
      complain(what);
    else if (!ranks)
      std::this_thread::sleep_for(std::chrono::seconds(1));
    return code;
  };
  const auto run = [](const std::function<int()>& command) {
    const auto unwritten = [] { throw sde::IoError("standard output could not be written"); };
    int code = 0;
    try {
      code = command();
    } catch (const std::system_error&) {  // of fmt::print, where the output is longer than the stream's buffer
      if (std::ferror(stdout)) unwritten();
      throw;
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) unwritten();
    return code;
  };
  try {
    for (const auto& c : commands) {
      if (!c.app->parsed()) continue;
      if (c.run) return run(c.run);
      speaks = first;
      ranks = sde::start_ranks();
      speaks = leads(ranks.get());
      return run_on_all(ranks.get(), [&] { return run([&] { return c.run_on_ranks(ranks.get()); }); });
    }
  } catch (const sde::InputError& e) {
    return failed(e.what(), kBadInput);
  } catch (const sde::IoError& e) {
    return failed(e.what(), kIoFailure);
  } catch (const sde::DeviceUnusable& e) {
    return failed(e.what(), kBadInput);
  } catch (const sde::manifold::FlowError& e) {
    return failed(e.what(), kNumericalFailure);
  } catch (const std::bad_alloc&) {
    return failed("not enough memory: expected fewer coordinates, observations or observables", kNumericalFailure);
  } catch (const std::exception& e) {
    return failed(e.what(), kNumericalFailure);
  }
  return kDone;
}
