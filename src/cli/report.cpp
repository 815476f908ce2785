#include <fmt/format.h>

#include <filesystem>

#include "cli.hpp"
#include "sde/version.hpp"

namespace sde::cli {

namespace {

/// Where the page goes if nothing is said: into the first folder, or beside the first file.
std::filesystem::path page_beside(const std::filesystem::path& first) {
  std::error_code error;
  return (std::filesystem::is_directory(first, error) ? first : first.parent_path()) / "report.html";
}

}  // namespace

Command add_report(CLI::App& app) {
  struct Options {
    std::vector<std::string> paths;
    std::string out, title;
  };
  auto* sub = app.add_subcommand(
      "report",
      "Make one HTML page of results: datasets of sde run, single runs and sweeps, and verify.json of sde verify.\n"
      "Folders are searched with what is below them. The page has parameters, tables that sort, figures with zoom, "
      "log\n"
      "axes and series on and off, and where everything comes from; it is one file that needs no network.");
  auto o = std::make_shared<Options>();
  sub->add_option("results", o->paths, "Folders, datasets (.nc) or verify.json")->required()->type_name("DIR|FILE");
  sub->add_option("--out", o->out, "The page (default: report.html in the first folder, or beside the first file)")
      ->type_name("FILE.html");
  sub->add_option("--title", o->title, "Title of the page (default: that of the result, where there is one)")
      ->type_name("TEXT");
  sub->footer(
      "Examples:\n  sde report out\n  sde report out/main.nc out/verify/verify.json --out page.html --title \"Main "
      "experiment\"");
  return {sub, [o] {
            const std::string page = o->out.empty() ? page_beside(o->paths.front()).string() : o->out;
            std::vector<std::string> arguments{"--out=" + page, std::string("--made-by=sde ") + kVersion};
            if (!o->title.empty()) arguments.push_back("--title=" + o->title);
            arguments.emplace_back("--");  // a folder's name may begin with a dash
            arguments.insert(arguments.end(), o->paths.begin(), o->paths.end());
            const int code = draw("report.py", arguments);
            if (code == 0) fmt::print("report  {}\n", page);
            return code;
          }};
}

}  // namespace sde::cli
