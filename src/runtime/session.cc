#include "concertina/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <system_error>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "runtime/model_impl.h"

namespace concertina {
namespace {

constexpr int kMaxThreads = 256;

Status check_options(const Model& model, const SessionOptions& options) {
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return Error{
        fmt::format("a session cannot have {} threads; choose 1 to {}", options.threads, kMaxThreads)};
  }
  const int most = std::numeric_limits<int>::max() / model.impl().largest_map;
  if (options.max_batch < 1 || options.max_batch > most) {
    return Error{
        fmt::format("a session's largest batch cannot be {}; choose 1 to {}", options.max_batch, most)};
  }
  return {};
}

Error wrong_size(const char* what, std::size_t given, std::size_t wanted, int batch) {
  return Error{
      fmt::format("there are {} floats of {} where a batch of {} has {}", given, what, batch, wanted)};
}

}  // namespace

struct Session::Impl {
  std::shared_ptr<const Model> model;
  SessionOptions options;
  AlignedBuffer arena;
  ThreadPool pool;

  Impl(std::shared_ptr<const Model> shared, const SessionOptions& wanted, std::size_t arena_floats)
      : model(std::move(shared)), options(wanted), arena(arena_floats), pool(wanted.threads) {}

  Status check(std::size_t images, int batch, int subnet, std::size_t logits) const {
    const Model::Impl& known = model->impl();
    if (batch < 1 || batch > options.max_batch) {
      return Error{
          fmt::format("a batch of {} does not fit this session; it takes 1 to {}", batch, options.max_batch)};
    }
    if (subnet < 0 || static_cast<std::size_t>(subnet) >= known.plans.size()) {
      return Error{fmt::format("there is no sub-net number {}; the model has 0 to {}", subnet,
                               known.plans.size() - 1)};
    }
    const auto count = static_cast<std::size_t>(batch);
    if (images != count * known.image.size()) {
      return wrong_size("images", images, count * known.image.size(), batch);
    }
    if (logits != count * known.classes.size()) {
      return wrong_size("logits", logits, count * known.classes.size(), batch);
    }
    return {};
  }
};

Result<Session> Session::make(std::shared_ptr<const Model> model, const SessionOptions& options) {
  CONCERTINA_TRY(check_options(*model, options));
  std::ptrdiff_t floats = 0;
  for (const runtime::Plan& plan : model->impl().plans) floats = std::max(floats, plan.arena_floats);
  const std::size_t total = static_cast<std::size_t>(floats) * static_cast<std::size_t>(options.max_batch);
  try {
    return Session(std::make_unique<Impl>(std::move(model), options, total));
  } catch (const std::bad_alloc&) {
    return Error{fmt::format("there is no memory for the {} MB that a batch of {} needs",
                             total * sizeof(float) >> 20, options.max_batch)};
  } catch (const std::system_error& e) {
    return Error{fmt::format("the system refuses {} threads ({}); ask for fewer", options.threads, e.what())};
  }
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Status Session::run(std::span<const float> images, int batch, int subnet, std::span<float> logits) {
  CONCERTINA_TRY(impl_->check(images.size(), batch, subnet, logits.size()));
  const runtime::Frame frame{.batch = batch,
                             .images = images.data(),
                             .logits = logits.data(),
                             .arena = impl_->arena.data(),
                             .pool = impl_->pool};
  for (const runtime::Step& step : impl_->model->impl().plans[static_cast<std::size_t>(subnet)].steps) {
    std::visit([&](const auto& one) { one.run(frame); }, step);
  }
  return {};
}

const Model& Session::model() const {
  return *impl_->model;
}

const SessionOptions& Session::options() const {
  return impl_->options;
}

}  // namespace concertina
