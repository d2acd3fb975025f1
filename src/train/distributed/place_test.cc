#include "train/distributed/place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace concertina::train {
namespace {

using ::testing::HasSubstr;
using Environment = std::map<std::string, std::string>;

Result<Place> place_in(const Environment& environment) {
  return place_from([&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

/// As torchrun sets them on the second of two machines.
Environment torchrun() {
  return {{"RANK", "3"},       {"WORLD_SIZE", "4"},       {"MASTER_ADDR", "node0"}, {"MASTER_PORT", "29500"},
          {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "2"}, {"OMP_NUM_THREADS", "1"}, {"GROUP_RANK", "1"}};
}

Environment with(const std::string& name, const std::string& value) {
  Environment environment = torchrun();
  environment[name] = value;
  return environment;
}

TEST(Place, IsWhatTorchrunSays) {
  const Place place = *place_in(torchrun());
  EXPECT_EQ(place.rank, 3);
  EXPECT_EQ(place.count, 4);
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.local_count, 2);
  EXPECT_EQ(place.address, "node0");
  EXPECT_EQ(place.port, 29500);
  EXPECT_TRUE(place.network_interface.empty());
  EXPECT_FALSE(place.has_listener);
  EXPECT_TRUE(place_in(with("TORCHELASTIC_USE_AGENT_STORE", "True"))->has_listener);
  EXPECT_NE(place_in(with("TORCHELASTIC_RESTART_COUNT", "1"))->prefix,
            place_in(with("TORCHELASTIC_RESTART_COUNT", "2"))->prefix);
  EXPECT_EQ(place_in(with("GLOO_SOCKET_IFNAME", "eth1"))->network_interface, "eth1");
}

TEST(Place, OfAProcessAloneNeedsNothing) {
  EXPECT_EQ(place_in({})->count, 1);
  EXPECT_EQ(place_in({{"MASTER_ADDR", "node0"}})->count, 1);
  EXPECT_EQ(place_in({{"RANK", "0"}, {"WORLD_SIZE", "1"}})->count, 1);
}

TEST(Place, NamesTheVariableThatIsMissing) {
  for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) {
    Environment environment = torchrun();
    environment.erase(name);
    const auto place = place_in(environment);
    ASSERT_FALSE(place) << name;
    EXPECT_THAT(place.error().message, HasSubstr(std::string("but no ") + name + ";"));
  }
}

TEST(Place, NamesTheVariableThatIsMalformed) {
  const std::pair<const char*, const char*> malformed[] = {
      {"RANK", "4"},        {"RANK", "-1"},          {"RANK", "x"},        {"WORLD_SIZE", "0"},
      {"WORLD_SIZE", "4 "}, {"MASTER_PORT", "http"}, {"MASTER_PORT", "0"}, {"MASTER_PORT", "65536"},
      {"MASTER_ADDR", ""},  {"LOCAL_RANK", "one"},   {"LOCAL_RANK", "4"},  {"LOCAL_WORLD_SIZE", "5"},
  };
  for (const auto& [name, value] : malformed) {
    const auto place = place_in(with(name, value));
    ASSERT_FALSE(place) << name << "=" << value;
    EXPECT_THAT(place.error().message, HasSubstr(std::string("the environment variable ") + name + " is"));
  }
}

}  // namespace
}  // namespace concertina::train
