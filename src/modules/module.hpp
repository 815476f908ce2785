// Modules: shared objects that show one symbol, a function which gives a table, found by name when the program runs.
// They are sought as NAME.so in these folders, in turn:
//
//   those of the environment variable SDE_MODULE_PATH (several with colons between them)
//   ../lib/sde beside the running program                where a build or an installation has them
//   sde beside the shared library that holds this code   where an interpreter or another program runs it
//   lib/sde of the prefix for which it was configured
#pragma once

#include <string>
#include <vector>

namespace sde {

/// The folders above that there are on this machine.
std::vector<std::string> module_folders();
/// Whether one of them has NAME.so.
bool has_module(const std::string& name);
/// The function `symbol` of the module NAME.so, of the first folder that has it. Throws IoError, which names the
/// folders, where none has.
void* module_symbol(const std::string& name, const char* symbol);
/// Throws IoError.
[[noreturn]] void refuse_module(const std::string& name, const char* version);

/// The table of a module, which begins with the version of the project and its own size: one of another build is
/// refused with IoError.
template <class Table>
const Table& module_table(const std::string& name, const char* symbol, const std::string& version) {
  const Table* table = reinterpret_cast<const Table* (*)()>(module_symbol(name, symbol))();
  if (table->version != version || table->size != sizeof(Table)) refuse_module(name, table->version);
  return *table;
}

}  // namespace sde
