#include "testing/models.h"

#include "base/random.h"
#include "graph/networks/networks.h"
#include "testing/net.h"

namespace concertina::testing {
namespace {

Graph built_in(const char* name, double width, bool decoupled = false) {
  return *make_network({.name = name,
                        .input = {.channels = 3, .height = 32, .width = 32},
                        .classes = 10,
                        .width = width,
                        .decoupled = decoupled});
}

}  // namespace

Graph resnet8() {
  return built_in("resnet8", 1);
}

Graph branches() {
  Net net({3, 9, 9});
  const NodeId stem = net.add("stem.act", op::relu6(), {net.conv("stem", kImage, 3, 21, kThree)});
  const NodeId left = net.norm("left.norm", net.conv("left", stem, 21, 5, kOne, 1, false), 5);
  const NodeId right = net.add("right.act", op::relu(),
                               {net.conv("right", net.max("right.pool", stem, kThree), 21, 19, kThree)});
  const NodeId join = net.add("join", op::Concat{}, {left, right});
  const NodeId wide = net.add("wide.act", op::relu6(),
                              {net.norm("wide.norm", net.conv("wide", join, 24, 48, kThree, 24), 48)});
  const NodeId deep = net.norm("deep.norm", net.conv("deep", wide, 48, 48, kThree, 48, false), 48);
  const NodeId sum = net.add("sum.act", op::relu(), {net.add("sum", op::Add{}, {wide, deep})});
  const NodeId half = net.average("half", sum, Window::square(3, 2, 1), false);
  const NodeId mix = net.conv("mix", half, 48, 18, kThree);
  const NodeId own = net.add("own", op::Add{}, {net.conv("own.conv", mix, 18, 18, kThree), mix});
  const NodeId dense1 = net.add("dense1", op::Concat{}, {own, half});
  const NodeId grow = net.conv(
      "grow", net.add("dense1.act", op::relu(), {net.norm("dense1.norm", dense1, 66)}), 66, 7, kThree);
  const NodeId dense2 = net.add("dense2", op::Concat{}, {dense1, grow, grow});
  const NodeId late = net.add("late", op::relu(), {dense2});
  const NodeId small = net.average("small", late,
                                   {.kernel_h = 2,
                                    .kernel_w = 3,
                                    .stride_h = 2,
                                    .stride_w = 2,
                                    .pad_top = 1,
                                    .pad_left = 1,
                                    .pad_bottom = 0,
                                    .pad_right = 1},
                                   true);
  const NodeId features = net.flatten("features", small, 9);
  const NodeId hidden = net.add("hidden.act", op::relu(), {net.linear("hidden", features, 80 * 9, 37)});
  net.add("probabilities", op::Softmax{}, {net.linear("logits", hidden, 37, 11, false)});
  return net.build();
}

Graph locked() {
  Net net({2, 6, 6});
  const NodeId free = net.conv("free", kImage, 2, 13, kThree);
  const NodeId a = net.conv("a", free, 13, 7, kThree);
  const NodeId b = net.conv("b", free, 13, 5, kOne);
  const NodeId ab = net.add("ab", op::Concat{}, {a, b});
  const NodeId grouped = net.conv("grouped", ab, 12, 18, kThree, 3);
  const NodeId again = net.norm("again.norm", net.conv("again", grouped, 18, 12, kThree, 6), 12);
  const NodeId cut = net.add("cut", op::Add{}, {again, ab});
  const NodeId cut2 = net.add("cut2", op::Add{}, {ab, cut});
  const NodeId ba = net.add("ba", op::Concat{}, {b, a});
  const NodeId cut3 = net.add("cut3", op::Add{}, {ba, cut2});
  const NodeId soft = net.add("soft", op::Softmax{}, {cut3});
  const NodeId twice = net.add("twice", op::Add{}, {soft, soft});
  const NodeId joined = net.add("joined", op::Concat{}, {twice, free, cut});
  const NodeId pooled = net.add("pool", op::GlobalAveragePool{}, {joined});
  net.linear("fc", net.flatten("flatten", pooled, 1), 37, 6);
  return net.build();
}

std::vector<NamedGraph> test_graphs() {
  return {{"resnet8", resnet8()},
          {"resnet14_decoupled", built_in("resnet14", 0.5, true)},
          {"vgg11", built_in("vgg11", 0.15)},
          {"alexnet", built_in("alexnet", 0.1)},
          {"mobilenet_v1", built_in("mobilenet_v1", 0.2)},
          {"branches", branches()},
          {"locked", locked()},
          {"every_op", concertina::testing::every_op()},
          {"squeeze_excite", squeeze_excite()},
          {"unet", unet()},
          {"resnext", resnext()},
          {"shufflenet", shufflenet()},
          {"densenet", densenet()},
          {"attention", attention()},
          {"pads", pads()},
          {"two_ends", two_ends()},
          {"cut", cut()},
          {"cut_across", cut_across()},
          {"unlike_sums", unlike_sums()}};
}

std::vector<Subnet> nested_subnets(const Graph& graph, int count) {
  std::vector<Subnet> subnets;
  const Subnet full = full_subnet(graph);
  for (int i = 0; i < count; ++i) {
    Subnet subnet = full;
    for (std::size_t d = 0; d < full.widths.size(); ++d) {
      // Not every dimension shrinks at once.
      const int steps = std::max(0, i - static_cast<int>(d % 2));
      subnet.widths[d] = std::max(1, full.widths[d] - full.widths[d] * steps * 2 / (3 * count) - (i > 0));
    }
    if (subnets.empty() || subnet != subnets.back()) subnets.push_back(subnet);
  }
  return subnets;
}

onnx::ModelFile model_file(const Graph& graph, const std::vector<Subnet>& subnets) {
  onnx::ModelFile file = concertina::testing::random_model(graph, 1);
  for (std::size_t i = 1; i < subnets.size(); ++i) {
    file.subnets.push_back({.subnet = subnets[i],
                            .own = concertina::testing::random_statistics(graph, subnets[i], i + 1),
                            .validation_accuracy = 0.5,
                            .test_accuracy = {}});
    if (i % 2 == 1) concertina::testing::add_own_parameters(graph, file.subnets.back(), i);
  }
  const Status sound = onnx::check_model(file);
  EXPECT_TRUE(sound) << sound.error().message;
  return file;
}

Floats random_images(const Model& model, int batch) {
  const CounterRandom random(3);
  Floats images(static_cast<std::size_t>(batch) * model.input_size());
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(4 * random.uniform(i) - 2);
  return images;
}

Floats run(Session& session, const Floats& images, int batch, int subnet) {
  Floats logits(static_cast<std::size_t>(batch) * session.model().output_size());
  const Status status = session.run(images, batch, subnet, logits);
  EXPECT_TRUE(status) << status.error().message;
  return logits;
}

Floats run_alone(std::shared_ptr<const Model> model, const SessionOptions& options, const Floats& images,
                 int batch, int subnet) {
  auto session = Session::make(std::move(model), options);
  EXPECT_TRUE(session) << session.error().message;
  return run(*session, images, batch, subnet);
}

double relative_error(const Floats& got, const Floats& wanted) {
  EXPECT_EQ(got.size(), wanted.size());
  double difference = 0;
  double largest = 0;
  for (std::size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
    EXPECT_TRUE(std::isfinite(got[i])) << "at " << i;
    difference = std::max(difference, std::abs(static_cast<double>(got[i]) - wanted[i]));
    largest = std::max(largest, std::abs(static_cast<double>(wanted[i])));
  }
  return difference / largest;
}

}  // namespace concertina::testing
