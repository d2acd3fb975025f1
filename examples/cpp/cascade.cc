// Classifies with a cascade: a small sub-net first, and a larger one where that is not sure and there is
// time.
//
//     cascade model.onnx model.cascade.json 2.5       every answer within 2.5 ms; on noise

#include <concertina/cascade_session.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace {

constexpr int kRequests = 20;

void fill_with_noise(std::vector<float>& image, std::mt19937& random) {
  std::normal_distribution<float> normal;
  for (float& value : image) value = normal(random);
}

concertina::Status classify(concertina::CascadeSession& session, std::chrono::nanoseconds deadline) {
  const concertina::Model& model = session.model();
  std::vector<float> image(model.input_size());
  std::mt19937 random(1);
  std::printf("request  stages  sub-net  confidence  actual ms  in time  class\n");
  for (int i = 0; i < kRequests; ++i) {
    fill_with_noise(image, random);
    const auto answer = session.run(image, {.deadline = deadline});
    if (!answer) return answer.error();
    const char* name = answer->label < 0 ? "none" : model.classes()[answer->label].c_str();
    std::printf("%7d  %6d  %7d  %8.2f %%  %9.3f  %7s  %s\n", i, answer->stages, answer->subnet,
                100 * answer->confidence, answer->actual_ms, answer->in_time ? "yes" : "no", name);
  }
  return {};
}

concertina::Status run(const char* model_path, const char* cascade_path, double deadline_ms) {
  auto model = concertina::Model::load(model_path);
  if (!model) return model.error();
  auto session = concertina::CascadeSession::make(*model, cascade_path);
  if (!session) return session.error();
  return classify(*session,
                  std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(1e6 * deadline_ms)));
}

}  // namespace

int main(int argc, char** argv) {
  const double deadline_ms = argc == 4 ? std::atof(argv[3]) : 0;
  if (deadline_ms <= 0) {
    std::fprintf(stderr, "usage: cascade MODEL.onnx CASCADE.json DEADLINE_MS\n");
    return 2;
  }
  const concertina::Status status = run(argv[1], argv[2], deadline_ms);
  if (!status) std::fprintf(stderr, "cascade: %s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
