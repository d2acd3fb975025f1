// Holds a frame rate: every frame has to be done when the next one comes, and the network's size gives way.
//
//     frame_rate model.onnx 400        400 frames a second, on noise; in the middle third twice as many

#include <concertina/adaptive_session.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr int kFrames = 60;

std::vector<float> noise(std::size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

double ms(nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

concertina::Status hold(concertina::AdaptiveSession& session, nanoseconds period) {
  const std::vector<float> frame = noise(session.model().input_size());
  std::vector<float> logits(session.model().output_size());
  std::printf("frame  time ms  sub-net  accuracy  predicted ms  actual ms  in time\n");
  auto due = Clock::now();
  for (int i = 0; i < kFrames; ++i) {
    std::this_thread::sleep_until(due);
    const auto step = i / (kFrames / 3) == 1 ? period / 2 : period;
    due += step;
    const auto answer = session.run(frame, {.deadline = due - Clock::now(), .quantile = 0.95}, logits);
    if (!answer) return answer.error();
    std::printf("%5d  %7.3f  %7d  %7.2f %%  %12.3f  %9.3f  %7s\n", i, ms(step), answer->subnet,
                100 * answer->accuracy, answer->predicted_ms, answer->actual_ms,
                answer->in_time ? "yes" : "no");
  }
  return {};
}

concertina::Status run(const char* path, double rate) {
  auto model = concertina::Model::load(path);
  if (!model) return model.error();
  auto session = concertina::AdaptiveSession::make(*model);
  if (!session) return session.error();
  return hold(*session, nanoseconds(static_cast<nanoseconds::rep>(1e9 / rate)));
}

}  // namespace

int main(int argc, char** argv) {
  const double rate = argc == 3 ? std::atof(argv[2]) : 0;
  if (rate < 1) {
    std::fprintf(stderr, "usage: frame_rate MODEL.onnx FRAMES_PER_SECOND\n");
    return 2;
  }
  const concertina::Status status = run(argv[1], rate);
  if (!status) std::fprintf(stderr, "frame_rate: %s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
