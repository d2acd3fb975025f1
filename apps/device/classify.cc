#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/try.h"
#include "common/images.h"
#include "concertina/session.h"
#include "data/crop.h"
#include "data/image_files.h"
#include "device/options.h"
#include "device/verbs.h"

namespace concertina::apps {
namespace {

struct ClassifyOptions {
  std::string model;
  std::vector<std::string> images;
  std::string subnet = "0";
  ModelOptions loading;
  int top = 3;
  bool json = false;
};

Result<std::vector<float>> load(const std::string& path, const ImageInfo& info) {
  ASSIGN_OR_RETURN(data::Image image, data::read_with_channels(path, channels_of_pictures(info)));
  if (info.channels != image.channels) {
    return Error{
        fmt::format("the model takes images of {} channels, which no image file has", info.channels)};
  }
  image = info.height == info.width ? data::fit_centre(std::move(image), info.resize, info.height)
                                    : data::resize_bilinear(image, info.height, info.width);
  std::vector<float> values(info.size());
  normalize_pixels(image.pixels, info, values);
  return values;
}

/// Precondition: the outputs are scores of classes.
std::vector<double> softmax(const std::vector<float>& logits) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> shares;
  for (const float logit : logits) shares.push_back(std::exp(static_cast<double>(logit - largest)));
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  return shares;
}

Status classify(const ClassifyOptions& options) {
  ASSIGN_OR_RETURN(const EvaluatedModel loaded, load_evaluated(options.model, options.loading));
  const auto& model = loaded.model;
  RETURN_IF_ERROR(check_classifier(*model));
  ASSIGN_OR_RETURN(const std::vector<int> subnets, chosen_subnets(*model, options.subnet));
  ASSIGN_OR_RETURN(Session session, Session::make(model));
  const std::size_t top = std::min(static_cast<std::size_t>(options.top), model->classes().size());
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& path : options.images) {
    ASSIGN_OR_RETURN(const std::vector<float> image, load(path, model->image()));
    for (const int subnet : subnets) {
      std::vector<float> logits(model->output_size());
      RETURN_IF_ERROR(session.run(image, 1, subnet, logits));
      logits.resize(model->classes().size());  // the first output
      const std::vector<double> shares = model->outputs()[0].probabilities
                                             ? std::vector<double>(logits.begin(), logits.end())
                                             : softmax(logits);
      std::vector<std::size_t> order(shares.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return shares[a] > shares[b]; });
      nlohmann::json answers = nlohmann::json::array();
      std::string line;
      for (std::size_t i = 0; i < top; ++i) {
        const std::string& name = model->classes()[order[i]];
        answers.push_back({{"class", name}, {"probability", shares[order[i]]}});
        line += fmt::format("  {} {:.1f} %", name, 100 * shares[order[i]]);
      }
      list.push_back({{"image", path}, {"subnet", subnet}, {"answers", answers}});
      if (!options.json) fmt::print("{}  sub-net {}:{}\n", path, subnet, line);
    }
  }
  if (options.json) fmt::print("{}\n", list.dump(1));
  return {};
}

void define(CLI::App* verb, ClassifyOptions& options) {
  add_model_argument(verb, options.model);
  verb->add_option("IMAGE", options.images, "JPEG or PNG files")->required();
  add_subnet_option(verb, options.subnet);
  add_model_options(verb, options.loading);
  add_cache_option(verb, options.loading);
  add_range_option(verb, "--top", options.top, "classes to show for each image", 1, 1000);
  add_json_option(verb, options.json);
}

}  // namespace

void add_classify(CLI::App& program, Action& chosen) {
  add_verb<ClassifyOptions>(program, chosen, "classify", "Classify images",
                            "  concertina classify model.onnx shoe.png\n"
                            "  concertina classify model.onnx *.jpg --subnet all --json\n",
                            define, classify);
}

}  // namespace concertina::apps
