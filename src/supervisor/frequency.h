#pragma once

#include <optional>
#include <string>
#include <vector>

namespace concertina::supervisor {

/// What cpufreq says (Documentation/admin-guide/pm/cpufreq.rst). Texts are empty where they are missing.
struct Frequency {
  std::optional<double> mhz = {};      ///< of the fastest processor at the moment; idle ones are slow
  std::optional<double> allowed = {};  ///< frequency that is allowed now, as a share of the highest
  std::string driver;
  std::string governor;
  std::string preference;  ///< energy_performance_preference, of drivers that choose the frequency themselves
};

/// Reads the frequencies of processors; of at most eight policies, spread evenly over all that there are.
class FrequencyReader {
 public:
  explicit FrequencyReader(const std::string& root);

  /// Nothing where there is no cpufreq.
  std::optional<Frequency> read() const;

 private:
  std::vector<std::string> policies_;
};

}  // namespace concertina::supervisor
