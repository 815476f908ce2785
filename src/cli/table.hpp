// A table on the terminal, whose columns are as wide as they need to be.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sde::cli {

/// Columns of text of one length.
class Table {
 public:
  enum class Align { left, right };
  void add(std::string title, Align align, std::vector<std::string> cells) {
    std::size_t width = title.size();
    for (const auto& cell : cells) width = std::max(width, cell.size());
    columns_.push_back({std::move(title), align, width, std::move(cells)});
  }
  /// The titles, then the rows.
  void print() const {
    print_row([](const Column& c) { return c.title; });
    for (std::size_t i = 0; i < columns_.front().cells.size(); ++i)
      print_row([i](const Column& c) { return c.cells[i]; });
  }

 private:
  struct Column {
    std::string title;
    Align align;
    std::size_t width;
    std::vector<std::string> cells;
  };
  template <class Cell>
  void print_row(Cell cell) const {
    std::string line;
    for (const auto& c : columns_) {
      line +=
          c.align == Align::left ? fmt::format("{:<{}}", cell(c), c.width) : fmt::format("{:>{}}", cell(c), c.width);
      line += "  ";
    }
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
  std::vector<Column> columns_;
};

}  // namespace sde::cli
