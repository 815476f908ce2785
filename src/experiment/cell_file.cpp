#include "cell_file.hpp"

#include <fmt/format.h>

#include <netcdf.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sde/core/error.hpp"

namespace sde::experiment {

CellFile::CellFile(std::filesystem::path file) : file_(std::move(file)) {
  check(nc_open(file_.c_str(), NC_NOWRITE, &id_));
}
CellFile::~CellFile() { nc_close(id_); }

void CellFile::check(int status) const {
  if (status != NC_NOERR)
    throw IoError(fmt::format("{}: expected a complete dataset of sde run: {}", file_.string(), nc_strerror(status)));
}

bool CellFile::has(const std::string& name) const {
  int v = 0;
  return nc_inq_varid(id_, name.c_str(), &v) == NC_NOERR;
}

int CellFile::variable(const std::string& name) const {
  int v = 0;
  check(nc_inq_varid(id_, name.c_str(), &v));
  return v;
}

std::size_t CellFile::size(int variable) const {
  int count = 0, dims[NC_MAX_VAR_DIMS];
  check(nc_inq_varndims(id_, variable, &count));
  check(nc_inq_vardimid(id_, variable, dims));
  std::size_t size = 1;
  for (int i = 0; i < count; ++i) {
    std::size_t length = 0;
    check(nc_inq_dimlen(id_, dims[i], &length));
    size *= length;
  }
  return size;
}

std::vector<double> CellFile::doubles(const std::string& name) const {
  const int v = variable(name);
  std::vector<double> values(size(v));
  check(nc_get_var_double(id_, v, values.data()));
  return values;
}

std::vector<std::string> CellFile::texts(const std::string& name) const {
  const int v = variable(name);
  std::vector<char*> raw(size(v), nullptr);
  check(nc_get_var_string(id_, v, raw.data()));
  std::vector<std::string> texts;
  texts.reserve(raw.size());
  for (const char* text : raw) texts.emplace_back(text ? text : "");
  check(nc_free_string(raw.size(), raw.data()));
  return texts;
}

std::string CellFile::attribute(const std::string& name) const {
  std::size_t length = 0;
  nc_type type = NC_NAT;
  if (nc_inq_att(id_, NC_GLOBAL, name.c_str(), &type, &length) != NC_NOERR || type != NC_CHAR) return "";
  std::string text(length, '\0');
  check(nc_get_att_text(id_, NC_GLOBAL, name.c_str(), text.data()));
  return text;
}

CellSummary::CellSummary(const CellFile& file)
    : run(file.texts("run")),
      kind(file.texts("kind")),
      group(file.texts("group")),
      time(file.doubles("time")),
      paths(file.doubles("paths_total")),
      lost(file.doubles("paths_lost")),
      gradients(file.doubles("gradient_evaluations")) {
  failure = file.has("failure") ? file.texts("failure") : std::vector<std::string>(run.size());
  observables = nlohmann::json::parse(file.attribute("observables")).get<std::vector<std::string>>();
  const auto last_of = [&](const std::string& name, std::size_t method) {
    return file.doubles(name)[(method + 1) * time.size() - 1];
  };
  for (std::size_t m = 0; m < run.size(); ++m) {
    slow_time.push_back(last_of("slow_time", m));
    mean.emplace_back();
    standard_error.emplace_back();
    for (const auto& o : observables) {
      mean[m].push_back(last_of(o, m));
      standard_error[m].push_back(last_of(o + "_se", m));
    }
  }
  if (!file.has("pair_algorithm")) return;
  const auto number = [&](const std::string& name) {
    return static_cast<std::size_t>(std::find(run.begin(), run.end(), name) - run.begin());
  };
  const auto algorithm = file.texts("pair_algorithm"), theory = file.texts("pair_theory");
  const auto mean_at = file.doubles("difference_trace_hessian"), error_at = file.doubles("difference_trace_hessian_se");
  for (std::size_t p = 0; p < algorithm.size(); ++p) {
    pairs.push_back({number(algorithm[p]), number(theory[p])});
    std::size_t last = (p + 1) * time.size() - 1;
    while (std::isnan(mean_at[last]) && last > p * time.size()) --last;
    difference.push_back(mean_at[last]);
    difference_error.push_back(error_at[last]);
  }
}

bool is_sweep(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return false;
  try {
    return !CellFile(file).attribute("sweep").empty();
  } catch (const IoError&) {
    return false;
  }
}

}  // namespace sde::experiment
