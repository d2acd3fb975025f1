#include "concertina/model.h"

#include <fmt/format.h>

#include <limits>
#include <string_view>

#include "base/try.h"
#include "capi/handles.h"
#include "capi/outcome.h"
#include "capi/structs.h"

namespace concertina::capi {
namespace {

Result<Precision> precision_of(int32_t value) {
  static_assert(static_cast<int>(Precision::automatic) == CONCERTINA_AUTO);
  if (value >= CONCERTINA_FP32 && value <= CONCERTINA_AUTO) return static_cast<Precision>(value);
  return Error{fmt::format(
      "there is no precision number {}; use one of concertina_precision, such as CONCERTINA_FP32", value)};
}

/// The handle of what load(options) gives.
template <typename Load>
Outcome open_model(const concertina_model_options* given, concertina_model** result, Load load) {
  concertina_model_options wanted;
  RETURN_IF_ERROR(read_struct("options", given, wanted));
  ModelOptions options;
  ASSIGN_OR_RETURN(options.precision, precision_of(wanted.precision));
  if (wanted.tuning != nullptr) options.tuning = wanted.tuning;
  if (wanted.cache != nullptr) options.cache = wanted.cache;
  auto handle = std::make_unique<concertina_model>();
  ASSIGN_OR_RETURN(handle->model, load(options));
  for (const SubnetInfo& info : handle->model->subnets()) handle->widths.push_back(to_string(info.subnet));
  *result = handle.release();
  return {};
}

Outcome tensor(const char* what, std::span<const TensorInfo> tensors, int32_t index,
               concertina_tensor_info* result) {
  RETURN_IF_ERROR(not_null({{"info", result}}));
  RETURN_IF_ERROR(check_size("info", *result));
  RETURN_IF_ERROR(in_range(what, index, tensors.size()));
  const TensorInfo& info = tensors[index];
  write_struct({.struct_size = 0,
                .name = info.name.c_str(),
                .channels = info.channels,
                .height = info.height,
                .width = info.width,
                .probabilities = info.probabilities ? 1 : 0},
               result);
  return {};
}

concertina_subnet_info describe(const SubnetInfo& info, const std::string& widths) {
  return {.struct_size = 0,
          .widths = widths.c_str(),
          .macs = info.macs,
          .parameters = info.parameters,
          .validation_accuracy = info.validation_accuracy,
          .test_accuracy = info.test_accuracy.value_or(std::numeric_limits<double>::quiet_NaN()),
          .own_bytes = info.own_bytes,
          .scratch_bytes = info.scratch_bytes,
          .workspace_bytes = info.workspace_bytes,
          .height = info.height,
          .width = info.width};
}

concertina_image_info describe(const ImageInfo& info) {
  return {.struct_size = 0,
          .channels = info.channels,
          .height = info.height,
          .width = info.width,
          .resize = info.resize,
          .mean = info.mean.data(),
          .stddev = info.stddev.data(),
          .bgr = info.bgr ? 1 : 0,
          .reserved = 0};
}

template <typename Things>
int32_t count(const Things& things) {
  return static_cast<int32_t>(things.size());
}

}  // namespace
}  // namespace concertina::capi

using namespace concertina::capi;

extern "C" {

const char* concertina_version() {
  return CONCERTINA_VERSION;
}

concertina_status concertina_model_load(const char* path, const concertina_model_options* options,
                                        concertina_model** model, concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"path", path}, {"model", model}}));
    return open_model(options, model,
                      [&](const auto& loading) { return concertina::Model::load(path, loading); });
  });
}

concertina_status concertina_model_parse(const void* bytes, size_t size,
                                         const concertina_model_options* options, concertina_model** model,
                                         concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"bytes", bytes}, {"model", model}}));
    const std::string_view text(static_cast<const char*>(bytes), size);
    return open_model(options, model,
                      [&](const auto& loading) { return concertina::Model::parse(text, loading); });
  });
}

void concertina_model_free(concertina_model* model) {
  delete model;
}

int32_t concertina_model_subnet_count(const concertina_model* model) {
  return model == nullptr ? 0 : count(model->widths);
}

concertina_status concertina_model_subnet(const concertina_model* model, int32_t subnet,
                                          concertina_subnet_info* info, concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"model", model}, {"info", info}}));
    RETURN_IF_ERROR(check_size("info", *info));
    RETURN_IF_ERROR(in_range("sub-net", subnet, model->widths.size()));
    const auto at = static_cast<std::size_t>(subnet);
    write_struct(describe(model->model->subnets()[at], model->widths[at]), info);
    return {};
  });
}

concertina_status concertina_model_find(const concertina_model* model, const char* widths, int32_t* subnet,
                                        concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"model", model}, {"widths", widths}, {"subnet", subnet}}));
    ASSIGN_OR_RETURN(const concertina::Subnet wanted, concertina::parse_subnet(widths));
    ASSIGN_OR_RETURN(*subnet, model->model->find(wanted));
    return {};
  });
}

concertina_status concertina_model_image(const concertina_model* model, concertina_image_info* info,
                                         concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"model", model}, {"info", info}}));
    RETURN_IF_ERROR(check_size("info", *info));
    write_struct(describe(model->model->image()), info);
    return {};
  });
}

int32_t concertina_model_input_count(const concertina_model* model) {
  return model == nullptr ? 0 : count(model->model->inputs());
}

int32_t concertina_model_output_count(const concertina_model* model) {
  return model == nullptr ? 0 : count(model->model->outputs());
}

concertina_status concertina_model_input(const concertina_model* model, int32_t input,
                                         concertina_tensor_info* info, concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"model", model}}));
    return tensor("input", model->model->inputs(), input, info);
  });
}

concertina_status concertina_model_output(const concertina_model* model, int32_t output,
                                          concertina_tensor_info* info, concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"model", model}}));
    return tensor("output", model->model->outputs(), output, info);
  });
}

size_t concertina_model_input_size(const concertina_model* model) {
  return model == nullptr ? 0 : model->model->input_size();
}

size_t concertina_model_output_size(const concertina_model* model) {
  return model == nullptr ? 0 : model->model->output_size();
}

int32_t concertina_model_class_count(const concertina_model* model) {
  return model == nullptr ? 0 : count(model->model->classes());
}

const char* concertina_model_class(const concertina_model* model, int32_t index) {
  if (index < 0 || index >= concertina_model_class_count(model)) return nullptr;
  return model->model->classes()[index].c_str();
}

size_t concertina_model_packed_bytes(const concertina_model* model) {
  return model == nullptr ? 0 : model->model->packed_bytes();
}

}  // extern "C"
