#include "sde/loss/models.hpp"

#include <algorithm>
#include <cmath>

#include "sde/random/streams.hpp"

namespace sde::loss {

std::vector<double> normal_data(std::uint64_t seed, std::uint32_t what, int count) {
  random::NormalStream<double> stream({seed, 0, what}, random::Purpose::start, 0);
  std::vector<double> values(static_cast<std::size_t>(count));
  for (auto& v : values) v = stream.next();
  return values;
}

Flat::Flat(int equations, int dimension, std::uint64_t seed)
    : FlatOf{equations, dimension, normal_data(seed, 1, equations * dimension),
             std::vector<double>(static_cast<std::size_t>(equations))} {
  const auto truth = normal_data(seed, 2, d);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < d; ++j) y[i] += X[i * d + j] * truth[j];
}

DiagonalNetwork::DiagonalNetwork(int samples, int features, int sparsity, std::uint64_t seed)
    : DiagonalNetworkOf{samples, features, normal_data(seed, 3, samples * features),
                        std::vector<double>(static_cast<std::size_t>(samples)),
                        std::vector<double>(static_cast<std::size_t>(features))} {
  for (int j = 0; j < sparsity; ++j) target[j] = 1.0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < p; ++j) y[i] += X[i * p + j] * target[j];
}

TanhNetwork::TanhNetwork(int samples, int input_dim, int student_width, int width_of_teacher, std::uint64_t seed)
    : TanhNetworkOf{samples, input_dim, student_width, {}, {}, 256, {}, {}}, teacher_width(width_of_teacher) {
  TanhNetwork shape;
  shape.n = 0;
  shape.inputs = inputs;
  shape.width = teacher_width;
  teacher = normal_data(seed, 4, shape.dim());
  X = normal_data(seed, 5, n * inputs);
  X_test = normal_data(seed, 6, tests * inputs);
  for (int i = 0; i < n; ++i) y.push_back(shape.output(teacher.data(), &X[i * inputs]));
  for (int i = 0; i < tests; ++i) y_test.push_back(shape.output(teacher.data(), &X_test[i * inputs]));
}

std::vector<double> TanhNetwork::interpolating_start(double scale, std::uint64_t seed) const {
  auto theta = normal_data(seed, 9, dim());
  for (auto& v : theta) v *= scale;
  if (width < teacher_width) return theta;
  const auto row = [&](int k) { return theta.begin() + width + k * inputs; };
  for (int k = 0; k < teacher_width; ++k) {
    theta[k] = teacher[k];
    std::copy_n(teacher.begin() + teacher_width + k * inputs, inputs, row(k));
  }
  int k = teacher_width;
  for (; k + 1 < width; k += 2) {
    theta[k + 1] = -theta[k];
    std::copy_n(row(k), inputs, row(k + 1));
  }
  if (k < width) theta[k] = 0;
  return theta;
}

MatrixSensing::MatrixSensing(int measurements, int matrix_size, int factor_rank, int true_rank, std::uint64_t seed)
    : MatrixSensingOf{measurements,
                      matrix_size,
                      factor_rank,
                      normal_data(seed, 7, measurements * matrix_size * matrix_size),
                      std::vector<double>(static_cast<std::size_t>(measurements)),
                      std::vector<double>(static_cast<std::size_t>(matrix_size * matrix_size))} {
  for (int i = 0; i < n; ++i)
    for (int a = 0; a < size; ++a)
      for (int b = 0; b < a; ++b) {
        double& lower = A[(i * size + a) * size + b];
        double& upper = A[(i * size + b) * size + a];
        lower = upper = 0.5 * (lower + upper);
      }
  const auto truth = normal_data(seed, 8, size * true_rank);
  for (int a = 0; a < size; ++a)
    for (int b = 0; b < size; ++b)
      for (int r = 0; r < true_rank; ++r)
        target[a * size + b] += truth[a * true_rank + r] * truth[b * true_rank + r] / true_rank;
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < size * size; ++k) y[i] += A[i * size * size + k] * target[k];
}

}  // namespace sde::loss
