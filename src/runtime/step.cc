#include "runtime/step.h"

#include "graph/op.h"

namespace concertina::runtime {

void run(const Step& step, const Frame& frame) {
  std::visit([&](const auto& one) { one.run(frame); }, step);
}

std::int64_t macs_of(const Step& step) {
  return std::visit(
      Overloaded{
          [](const ConvStep& conv) { return conv.macs(); },
          [](const TransposedStep& transposed) { return transposed.macs(); },
          []<OneOf<ScaleStep, LoadStep, MaxPoolStep, AveragePoolStep, GlobalPoolStep, ActivateStep,
                   AffineStep, NormalizeStep, ReduceChannelsStep, LocalResponseStep, SoftmaxStep, CombineStep,
                   CopyStep, GatherStep, PickStep, BlendStep, FlattenStep, StoreStep, BandedStep>
                 Free>(const Free&) { return std::int64_t{0}; },
      },
      step);
}

void AveragePoolStep::run(const Frame& frame) const {
  kernels::average_pool(bound(*this, frame), padding, frame.pool);
}

void GatherStep::run(const Frame& frame) const {
  kernels::GatherArgs bound_args = bound(*this, frame);
  bound_args.sources = sources;
  kernels::gather_channels(bound_args, frame.pool);
}

void FlattenStep::run(const Frame& frame) const {
  kernels::FlattenArgs bound_args = bound(*this, frame);
  bound_args.segments = segments;
  kernels::flatten(bound_args, frame.pool);
}

void CombineStep::run(const Frame& frame) const {
  kernels::CombineArgs bound_args = args;
  bound_args.batch = frame.batch;
  bound_args.a = a.in(frame);
  bound_args.a_stride = a.stride;
  bound_args.b = b.in(frame);
  bound_args.output = output.in(frame);
  bound_args.output_stride = output.stride;
  kernels::combine(bound_args, frame.pool);
}

std::size_t ScaleStep::workspace() const {
  return kernels::workspace_scale(args());
}

void ScaleStep::run(const Frame& frame) const {
  if (frame.scaled == nullptr) return;
  kernels::ScaleArgs bound_args = args();
  bound_args.planes *= frame.batch;
  bound_args.input = frame.images;
  bound_args.output = frame.scaled;
  kernels::scale_planes(bound_args, frame.workspace, frame.pool);
}

void StoreStep::run(const Frame& frame) const {
  kernels::ToPlainArgs bound_args = args;
  bound_args.batch = frame.batch;
  bound_args.input = input.in(frame);
  bound_args.input_stride = input.stride;
  bound_args.output = frame.logits + begin * frame.batch + plane;
  kernels::to_plain(bound_args, frame.pool);
}

}  // namespace concertina::runtime
