#pragma once

namespace concertina::kernels {

/// What one core moves from and to memory at most, in GB/s, beyond its caches: the best of a few copies of
/// 64 MiB, of which each byte counts once read and once written. Needs 128 MiB for a moment; 0 if they are
/// not there.
double memory_gbytes_per_second();

}  // namespace concertina::kernels
