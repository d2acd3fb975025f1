#pragma once

/// What one core of this machine does at most, measured.
namespace concertina::kernels {

/// Fused multiply-adds of fp32 vectors, all in registers, in GFLOP/s: the best of a few attempts of some
/// milliseconds.
double peak_gflops();

/// The same of bfloat16 multiplied by the best unit that the machine has for it, of inputs and weights in the
/// first-level cache; peak_gflops() without one.
double bf16_peak_gflops();

/// What is moved from and to memory, in GB/s, beyond the caches: the best of a few copies of 64 MiB, of which
/// each byte counts once read and once written. Needs 128 MiB for a moment; 0 if they are not there.
double memory_gbytes_per_second();

}  // namespace concertina::kernels
