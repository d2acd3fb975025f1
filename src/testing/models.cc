#include "testing/models.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace concertina::testing {

Floats random_images(const Model& model, int batch) {
  const CounterRandom random(3);
  Floats images(static_cast<std::size_t>(batch) * model.input_size());
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(4 * random.uniform(i) - 2);
  return images;
}

Floats run(Session& session, const Floats& images, int batch, int subnet) {
  Floats logits(static_cast<std::size_t>(batch) * session.model().output_size());
  const Status status = session.run(images, batch, subnet, logits);
  EXPECT_TRUE(status) << status.error().message;
  return logits;
}

Floats run_alone(std::shared_ptr<const Model> model, const SessionOptions& options, const Floats& images,
                 int batch, int subnet) {
  auto session = Session::make(std::move(model), options);
  EXPECT_TRUE(session) << session.error().message;
  return run(*session, images, batch, subnet);
}

double relative_error(const Floats& got, const Floats& wanted) {
  EXPECT_EQ(got.size(), wanted.size());
  double difference = 0;
  double largest = 0;
  for (std::size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
    EXPECT_TRUE(std::isfinite(got[i])) << "at " << i;
    difference = std::max(difference, std::abs(static_cast<double>(got[i]) - wanted[i]));
    largest = std::max(largest, std::abs(static_cast<double>(wanted[i])));
  }
  return difference / largest;
}

}  // namespace concertina::testing
