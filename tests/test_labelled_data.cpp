// Data of classification problems: what is read, and what is refused with which words.
#include <fmt/format.h>

#include <cstring>

#include "../src/experiment/labelled/labelled_data.hpp"
#include "data_files.hpp"

using namespace sde::experiment;
using sde::testing::DataFiles;
using sde::testing::idx;
using sde::testing::message_of;
using sde::testing::npy;

namespace {

std::string doubles(const std::vector<double>& values) {
  std::string bytes(values.size() * sizeof(double), ' ');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

const std::vector<double> kInputs{1, 2, 3, 4, 5, 6};
const std::vector<int> kClasses{1, 0, 1};

void check_three(const LabelledData& data) {
  CHECK(data.features == 2);
  CHECK(data.x == kInputs);
  CHECK(data.y == kClasses);
}

std::string refused(const LabelledFiles& files) {
  return message_of([&] { read_labelled(files); });
}

}  // namespace

TEST_CASE("the same data from every format, plain and compressed") {
  const DataFiles f;
  const std::string csv = "1,2,1\n3,4,0\n5,6,1\n", named = "a,b,class\r\n" + csv;
  check_three(read_labelled({f.plain("a.csv", csv), {}}));
  check_three(read_labelled({f.plain("b.csv", named), {}}));
  check_three(read_labelled({f.gzip("a.csv.gz", named), {}}));
  check_three(read_labelled({f.plain("c.csv", "1,1,2\n0,3,4\n1,5,6\n"), {}, true}));
  const auto images = idx({3, 2, 1}, "\1\2\3\4\5\6"), labels = idx({3}, std::string("\1\0\1", 3));
  check_three(read_labelled({f.plain("i-idx3-ubyte", images), f.plain("l-idx1-ubyte", labels)}));
  check_three(read_labelled({f.gzip("i-idx3-ubyte.gz", images), f.gzip("l-idx1-ubyte.gz", labels)}));
  // NumPy: row by row or column by column, of any type, either end first, more dimensions.
  const auto y = npy("|u1", "3,", std::string("\1\0\1", 3));
  check_three(read_labelled({f.zip("a.npz", {{"x.npy", npy("<f8", "3, 2", doubles(kInputs))}, {"y.npy", y}}), {}}));
  check_three(read_labelled(
      {f.zip("b.npz", {{"X.npy", npy("<f8", "3, 2", doubles({1, 3, 5, 2, 4, 6}), "True")}, {"y.npy", y}}), {}}));
  const std::string big("\0\1\0\2\0\3\0\4\0\5\0\6", 12);
  check_three(read_labelled(
      {f.zip("c.npz", {{"in.npy", npy(">i2", "3, 1, 2", big)}, {"out.npy", y}}), {}, false, {"in", "out"}}));
}

TEST_CASE("numbers of all types of IDX") {
  const DataFiles f;
  const auto labels = f.plain("labels", idx({2}, std::string("\0\1", 2)));
  const auto first = [&](char type, const std::string& numbers) {
    return read_labelled({f.plain("images", idx({2, 1}, numbers, type)), labels}).x;
  };
  CHECK(first(0x09, "\xff\x02") == std::vector<double>{-1, 2});
  CHECK(first(0x0B, std::string("\xff\xfe\x01\x00", 4)) == std::vector<double>{-2, 256});
  CHECK(first(0x0C, std::string("\xff\xff\xff\xfd\x00\x01\x00\x00", 8)) == std::vector<double>{-3, 65536});
  CHECK(first(0x0D, std::string("\x3f\xc0\x00\x00\xc0\x00\x00\x00", 8)) == std::vector<double>{1.5, -2});
  CHECK(first(0x0E, std::string("\x3f\xf8\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x00", 16)) ==
        std::vector<double>{1.5, -2});
}

TEST_CASE("IDX that is refused") {
  const DataFiles f;
  const auto labels = f.plain("labels", idx({3}, std::string("\1\0\1", 3)));
  const auto images = f.plain("images", idx({3, 2}, "\1\2\3\4\5\6"));
  const auto of = [&](const std::string& bytes) { return refused({f.plain("bad", bytes), labels}); };
  const std::string bad = f.path("bad").string();
  CHECK(refused({f.path("none"), labels}) == f.path("none").string() + ": cannot be read");
  CHECK(refused({f.path(""), labels}).ends_with(": is a folder; expected a file"));
  CHECK(of("") ==
        bad + ": byte 0: the file ends within the four bytes that an IDX file begins with: expected 4 more bytes");
  CHECK(of("hello") ==
        bad +
            ": byte 0: expected IDX data, which begin with 00 00, got 68 65 (other formats are known by the "
            "end of their name: .csv, .csv.gz, .npz)");
  CHECK(of(idx({3, 2}, "123456", 0x07)) ==
        bad + ": byte 2: expected a type of numbers, 08, 09, 0b, 0c, 0d or 0e, got 07");
  CHECK(of(idx({3, 2}, "12345")) == bad + ": byte 17: the file ends within its 6 numbers: expected 1 more bytes");
  CHECK(of(idx({3, 2}, "1234567")) ==
        bad + ": byte 18: expected the end of the file after 3 x 2 numbers, got more bytes");
  CHECK(of(idx({3, 2}, "123456").substr(0, 9)) ==
        bad + ": byte 9: the file ends within its 2 sizes: expected 3 more bytes");
  // Sizes whose product overflows, and an array that would not fit: nothing of that size is allocated.
  CHECK(of(idx({0xffffffff, 0xffffffff, 0xffffffff}, "")) ==
        bad + ": byte 16: an array of 4294967295 x 4294967295 x 4294967295: expected 1 to 50000000 numbers");
  CHECK(of(idx({0, 2}, "")) == bad + ": byte 12: an array of 0 x 2: expected 1 to 50000000 numbers");
  CHECK(of(idx({40000, 1000}, "12")) ==
        bad + ": byte 14: the file ends within its 40000000 numbers: expected 16382 more bytes");
  CHECK(of(idx({2, 1}, std::string("\x7f\xc0\x00\x00\x00\x00\x00\x00", 8), 0x0D)) ==
        bad + ": byte 12: number 1 is nan: expected finite numbers");
  // Images and labels exchanged, and of different numbers.
  CHECK(refused({labels, images}) ==
        labels.string() +
            ": byte 3: expected inputs, an array of 2 to 4 dimensions, got 1 dimensions: is this "
            "the file of the labels?");
  CHECK(refused({images, images}) ==
        images.string() +
            ": byte 3: expected labels, an array of 1 dimension, got 2 dimensions: is this the file of the "
            "inputs?");
  CHECK(of(idx({2, 2}, "1234")) ==
        fmt::format("{}: byte 4: expected 2 labels, one for each input of {}, got 3", labels.string(), bad));
  CHECK(refused({images, {}}) == images.string() +
                                     ": IDX data have their labels in a file of their own: expected its name "
                                     "in `labels`");
  const auto wrong = f.plain("wrong", idx({3}, std::string("\1\xfe\1", 3), 0x09));
  CHECK(refused({images, wrong}) ==
        wrong.string() + ": byte 9: label 2: expected a class, a whole number from 0 to 999, got -2");
}

TEST_CASE("gzip that is refused") {
  const DataFiles f;
  std::string text;
  for (int k = 0; k < 20000; ++k) text += fmt::format("{},{},{}\n", k * 7919 % 10007, k, k % 2);
  const auto whole = f.gzip("whole.csv.gz", text);
  CHECK(read_labelled({whole, {}}).rows() == 20000);
  const auto bytes = f.bytes(whole);
  const auto cut = f.plain("cut.csv.gz", bytes.substr(0, bytes.size() / 2));
  const auto said = refused({cut, {}});
  CHECK(said.starts_with(cut.string() + ": byte "));
  CHECK(said.ends_with(": the compressed file ends too soon: expected all of it, fetch it again"));
  auto changed = bytes;
  changed[bytes.size() - 6] ^= 1;  // the checksum
  const auto torn = refused({f.plain("torn.csv.gz", changed), {}});
  CHECK_MESSAGE(torn.ends_with("not valid gzip (incorrect data check): fetch it again"), torn);
  const auto plain = f.plain("plain.csv.gz", "1,2,0\n");
  CHECK(refused({plain, {}}) == plain.string() +
                                    ": byte 0: expected gzip, as the name ends in .gz: got other bytes (was it "
                                    "unpacked already? then take .gz off its name)");
  // 400 MB of one digit, or of line ends, in some hundred kB.
  const auto bomb = [&](const std::string& name, const std::string& block, int blocks) {
    const gzFile file = gzopen(f.path(name).c_str(), "wb1");
    for (int k = 0; k < blocks; ++k) gzwrite(file, block.data(), static_cast<unsigned>(block.size()));
    gzclose(file);
    return refused({f.path(name), {}});
  };
  CHECK(bomb("digit.csv.gz", std::string(1 << 20, '7'), 400) ==
        f.path("digit.csv.gz").string() + ": row 1: column 1: no number is longer than 131072 characters");
  CHECK(bomb("rows.csv.gz", std::string(1 << 20, '\n'), 400).find("no number is longer") != std::string::npos);
  std::string rows;
  for (int k = 0; k < 100000; ++k) rows += "1,1,1,1,1,1,1,1,1,0\n";
  CHECK(bomb("many.csv.gz", rows, 60) == f.path("many.csv.gz").string() + ": row 5555556: more than 50000000 numbers");
}

TEST_CASE("CSV that is refused") {
  const DataFiles f;
  const auto of = [&](const std::string& text) {
    const auto file = f.plain("bad.csv", text);
    const auto said = refused({file, {}});
    CHECK_MESSAGE(said.starts_with(file.string() + ": "), said);
    return said.substr(file.string().size() + 2);
  };
  CHECK(of("") == "expected rows of numbers, got none");
  CHECK(of("a,b\n") == "expected rows of numbers, got none");
  CHECK(of("1\n2\n") == "row 1: expected inputs and a label, 2 columns or more, got 1");
  CHECK(of("1,2,0\n3,x,1\n") == "row 2: column 2: expected a number, got 'x'");
  CHECK(of("1,2,0\n3,nan,1\n") == "row 2: column 2: expected a finite number, got nan");
  CHECK(of("1,inf,0\n") == "row 1: column 2: expected a finite number, got inf");
  CHECK(of("1,2,0\n3,1\n") == "row 2: expected 3 columns, as in row 1, got 2");
  CHECK(of("1,2,0\n3,1,2,0\n") == "row 2: expected 3 columns, as in row 1, got 4");
  CHECK(of("1,2,0\n3,1,-1\n") == "row 2: column 3, the label: expected a class, a whole number from 0 to 999, got -1");
  CHECK(of("1,2,0\n3,1,0.5\n") ==
        "row 2: column 3, the label: expected a class, a whole number from 0 to 999, got 0.5");
  CHECK(of("1,2,0\n3,1,1e9\n") ==
        "row 2: column 3, the label: expected a class, a whole number from 0 to 999, got 1000000000");
  CHECK(of("1,\"2,0\n").find("row 1: ") == 0);
  CHECK(refused({f.plain("a.csv", "1,2,0\n"), f.path("labels")}) ==
        fmt::format("{}: a CSV file has its labels in a column: expected no file of labels, got {}",
                    f.path("a.csv").string(), f.path("labels").string()));
}

TEST_CASE("NPZ that is refused") {
  const DataFiles f;
  const auto x = npy("<f8", "3, 2", doubles(kInputs)), y = npy("|u1", "3,", std::string("\1\0\1", 3));
  const auto file = f.path("bad.npz").string();
  const auto of = [&](const std::string& inputs, const std::string& labels) {
    const auto said = refused({f.zip("bad.npz", {{"x.npy", inputs}, {"y.npy", labels}}), {}});
    CHECK_MESSAGE(said.starts_with(file + ": "), said);
    return said.substr(file.size() + 2);
  };
  CHECK(of(x.substr(0, x.size() - 1), y) ==
        "array x: byte 175: the file ends within its 6 numbers: expected 1 more bytes");
  CHECK(of(x + "1", y) == "array x: byte 176: expected the end of the file after 3 x 2 numbers, got more bytes");
  CHECK(of("hello, world", y) == "array x: byte 0: expected NumPy's array, which begins with 93 'NUMPY'");
  CHECK(of(npy("|O", "3, 2", "......"), y) ==
        "array x: byte 128: an array of type '|O': expected integers of 1 to 8 bytes or floats of 4 or 8 (objects are "
        "Python's alone)");
  CHECK(of(npy("<f8", "99999999999, 99999999999", ""), y) ==
        "array x: byte 128: an array of 99999999999 x 99999999999: expected 1 to 50000000 numbers");
  CHECK(of(npy("<f8", "18446744073709551616", ""), y) ==
        "array x: byte 128: expected sizes in the header, got '18446744073709551616'");
  CHECK(of(npy("<f8", "-3, 2", ""), y) == "array x: byte 128: expected sizes in the header, got '-3, 2'");
  CHECK(of(npy("<f8", "6,", doubles(kInputs)), y) ==
        "array x: expected inputs, an array of 2 dimensions or more, got 1");
  CHECK(of(npy("<f8", "2, 3", doubles(kInputs)), y) == "array y: expected 2 labels, one for each input of x, got 3");
  CHECK(of(x, npy("|u1", "3, 2", "123456")) == "array y: expected labels, one number each, got 3 x 2");
  CHECK(of(x, npy("<f8", "3,", doubles({1, 0.5, 0}))) ==
        "array y: label 2: expected a class, a whole number from 0 to 999, got 0.5");
  auto huge = x;
  huge[8] = huge[9] = '\xff';  // the header's size
  CHECK(of(huge, y) == "array x: byte 176: the file ends within its header: expected 65369 more bytes");
  // 16 MB of zeros in 16 kB are not unpacked: more than the shape says is too much.
  CHECK(of(npy("<f8", "3, 2", std::string(1 << 24, '\0')), y) ==
        "array x: byte 176: expected the end of the file after 3 x 2 numbers, got more bytes");
  CHECK(refused({f.zip("other.npz", {{"a.npy", x}, {"b.npy", y}}), {}}) ==
        f.path("other.npz").string() + ": expected arrays x and y (or their names in `arrays`), got a, b");
  CHECK(refused({f.path("other.npz"), {}, false, {"a", "c"}}) ==
        f.path("other.npz").string() + ": there is no array 'c': expected one of a, b");
  CHECK(refused({f.plain("no.npz", "hello"), {}}) ==
        f.path("no.npz").string() + ": cannot be read as an NPZ archive: Not a zip archive");
  const auto whole = f.bytes(f.zip("whole.npz", {{"x.npy", x}, {"y.npy", y}}));
  CHECK(refused({f.plain("cut.npz", whole.substr(0, whole.size() / 2)), {}})
            .starts_with(f.path("cut.npz").string() + ": "));
  auto torn = whole;
  torn[60] ^= 0x55;
  CHECK(refused({f.plain("torn.npz", torn), {}}).starts_with(f.path("torn.npz").string() + ": array x: byte "));
}

TEST_CASE("sets of data") {
  const LabelledData training{.inputs_from = "a", .labels_from = "b", .features = 2, .x = kInputs, .y = kClasses};
  CHECK(classes_of(training) == 2);
  auto gap = training;
  gap.y = {0, 2, 0};
  CHECK(message_of([&] { classes_of(gap); }) ==
        "b: class 1 has no sample: expected labels of 3 classes, from 0 on without a gap");
  LabelledData test{.inputs_from = "t", .labels_from = "u", .features = 2, .x = {9, 9, 8, 8}, .y = {0, 1}};
  CHECK_NOTHROW(check_test_set(training, test, 2));
  const auto said = [&] { return message_of([&] { check_test_set(training, test, 2); }); };
  test.y[1] = 2;
  CHECK(said() == "u: row 2: expected a class of the training set, 0 to 1, got 2");
  test.y[1] = 1;
  test.x = {9, 9, 3, 4};
  CHECK(said() == "t: row 2: this test input is that of a: row 2: expected a test set apart from the training set");
  test.features = 4;
  test.y = {1};
  CHECK(said() == "t: expected 2 numbers an input, as a has, got 4");
  const auto rest = rows_from(training, 1);
  CHECK(rest.y == std::vector<int>{0, 1});
  CHECK(rest.x == std::vector<double>{3, 4, 5, 6});
  CHECK(rest.place_of_label(0) == "b: row 2");
  CHECK(first_rows(training, 1).x == std::vector<double>{1, 2});
  const auto mixed = rows_from(in_order(training, {2, 0, 1}), 1);
  CHECK(mixed.x == std::vector<double>{1, 2, 3, 4});
  CHECK(mixed.y == std::vector<int>{1, 0});
  CHECK(mixed.place_of_input(1) == "a: row 2");
}

TEST_CASE("the digits that come with the program, and their split") {
  const auto data = read_labelled({std::filesystem::path(SDE_SOURCE_DIR) / "share/data/digits.csv.gz", {}});
  REQUIRE(data.rows() == 1797);
  CHECK(data.features == 64);
  const auto training = first_rows(data, 1024), test = rows_from(data, 1024);
  CHECK(test.rows() == 773);
  CHECK(classes_of(training) == 10);
  CHECK_NOTHROW(check_test_set(training, test, 10));
  double sum = 0;
  for (const double v : data.x) sum += v;
  CHECK(sum == 561718);  // as numpy adds scikit-learn's
}
