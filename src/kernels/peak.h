#pragma once

namespace concertina::kernels {

/// What one core does at most: fused multiply-adds of fp32 vectors, all in registers, in GFLOP/s; the best of
/// a few attempts of some milliseconds.
double peak_gflops();

}  // namespace concertina::kernels
