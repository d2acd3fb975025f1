#pragma once

#include <vector>

#include "concertina/session.h"

namespace concertina::apps {

/// Milliseconds of each of `runs` runs after `warm_up` uncounted ones, on an image of zeros, sorted.
Result<std::vector<double>> time_runs(Session& session, int subnet, int batch, int warm_up, int runs);

/// The value below which a share `q` of the sorted values lies. Precondition: not empty.
double quantile(const std::vector<double>& sorted, double q);

}  // namespace concertina::apps
