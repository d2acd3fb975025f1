#include "simulation/draws.h"

#include <cmath>
#include <numbers>

namespace concertina::simulation {

double Draws::exponential() {
  return -std::log1p(-uniform());
}

// Box and Muller 1958.
double Draws::normal() {
  const double radius = std::sqrt(2 * exponential());
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

// Marsaglia and Tsang 2000; below 1, a draw for shape + 1 times uniform^(1 / shape).
double Draws::gamma(double shape) {
  if (shape < 1) return gamma(shape + 1) * std::pow(1 - uniform(), 1 / shape);
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(1 - uniform()) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
  }
}

}  // namespace concertina::simulation
