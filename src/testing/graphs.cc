#include "testing/graphs.h"

#include <algorithm>
#include <functional>
#include <set>

#include "graph/branches.h"
#include "graph/networks/networks.h"
#include "graph/resolution.h"
#include "testing/net.h"

namespace concertina::testing {
namespace {

using op::Function;

std::function<Graph()> built_in(const char* name, double width, bool decoupled = false) {
  return [=] {
    return *make_network(
        {.name = name, .input = {3, 32, 32}, .classes = 10, .width = width, .decoupled = decoupled});
  };
}

}  // namespace

std::vector<NamedGraph> structures() {
  return {{"every_op", every_op},
          {"branches", branches},
          {"locked", locked},
          {"two_ends", two_ends},
          {"two_images", two_images},
          {"many_outputs", many_outputs},
          {"cut", cut},
          {"overlapping_slices", overlapping_slices},
          {"cut_across", cut_across, /*shrinks=*/false},
          {"unlike_sums", unlike_sums, /*shrinks=*/false},
          {"squeeze_excite", squeeze_excite},
          {"unet", unet},
          {"transposed", transposed},
          {"blocks", blocks},
          {"resnext", resnext},
          {"shufflenet", shufflenet},
          {"densenet", densenet},
          {"attention", attention},
          {"pads", pads},
          {"windows", windows},
          {"dilated_means", dilated_means},
          {"padded_shortcuts", padded_shortcuts},
          {"group_norms", group_norms},
          {"across_channels", across_channels},
          {"functions", functions},
          {"siamese", siamese},
          {"shared_head", shared_head},
          {"recurrent", recurrent},
          {"shared_in_part", shared_in_part}};
}

std::vector<NamedGraph> test_graphs() {
  std::vector<NamedGraph> all = {{"resnet8", resnet8},
                                 {"resnet14_decoupled", built_in("resnet14", 0.5, true)},
                                 {"vgg11", built_in("vgg11", 0.15)},
                                 {"alexnet", built_in("alexnet", 0.1)},
                                 {"mobilenet_v1", built_in("mobilenet_v1", 0.2)}};
  for (NamedGraph& net : structures()) all.push_back(std::move(net));
  return all;
}

Graph resnet8() {
  return built_in("resnet8", 1)();
}

std::vector<Subnet> leaving_out_branches(const Graph& graph, Subnet subnet) {
  std::vector<Subnet> chain;
  for (const Branch& branch : find_branches(graph)) {
    const std::optional<Subnet> without = leave_out(graph, subnet, branch);
    if (!without) continue;
    subnet = *without;
    chain.push_back(subnet);
  }
  return chain;
}

std::vector<Subnet> at_lower_resolutions(const Graph& graph, const Subnet& subnet) {
  const Shape& image = graph.shape(graph.input());
  const std::vector<int> searched = resolutions(graph);
  std::set<int, std::greater<>> wanted;
  if (!searched.empty()) wanted = {searched.front(), searched.back()};
  if (const int odd = std::min(image.height, image.width) - 1; odd > 0) wanted.insert(odd);
  std::vector<Subnet> chain;
  for (const int resolution : wanted) {
    if (at_resolution(graph, resolution)) chain.push_back({subnet.widths, resolution});
  }
  return chain;
}

Graph every_op() {
  const Window half = {
      .kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_bottom = 1};
  Net net({3, 8, 8});
  const NodeId stem = net.apply("stem.relu6", op::relu6(), net.conv("stem", kImage, 8, kThree));
  const NodeId left = net.relu("left.relu", net.norm("left.norm", net.conv("left", stem, 6, kOne, 1, false)));
  const NodeId right = net.conv("right", net.max_pool("right.pool", stem, kThree), 4, kThree);
  const NodeId joined = net.concat("join", {left, right});
  const NodeId mixed = net.conv("mix", net.norm("join.norm", joined, 1e-5F), 10, kThree, 10, false);
  const NodeId average = net.average("average", joined, half);
  const NodeId sum = net.sum("sum", average, net.average("counting", mixed, half, true));
  const NodeId detail = net.linear("detail", net.flatten("flatten", sum), 5);
  const NodeId whole = net.linear("whole", net.flatten("pooled", net.global("pool", sum)), 5, false);
  net.softmax("probabilities", net.sum("score", detail, whole));
  return net.build();
}

Graph toy() {
  Net net({1, 4, 4});
  const NodeId stem = net.relu("stem.act", net.conv("stem", kImage, 6, kThree));
  net.classify(net.sum("sum", net.conv("again", stem, 6, kThree), stem), 3);
  return net.build();
}

Graph branches() {
  Net net({3, 9, 9});
  const NodeId stem = net.apply("stem.act", op::relu6(), net.conv("stem", kImage, 21, kThree));
  const NodeId left = net.norm("left.norm", net.conv("left", stem, 5, kOne, 1, false));
  const NodeId right =
      net.relu("right.act", net.conv("right", net.max_pool("right.pool", stem, kThree), 19, kThree));
  const NodeId join = net.concat("join", {left, right});
  const NodeId wide =
      net.apply("wide.act", op::relu6(), net.norm("wide.norm", net.conv("wide", join, 48, kThree, 24)));
  const NodeId deep = net.norm("deep.norm", net.conv("deep", wide, 48, kThree, 48, false));
  const NodeId sum = net.relu("sum.act", net.sum("sum", wide, deep));
  const NodeId half = net.average("half", sum, Window::square(3, 2, 1));
  const NodeId mix = net.conv("mix", half, 18, kThree);
  const NodeId own = net.sum("own", net.conv("own.conv", mix, 18, kThree), mix);
  const NodeId dense1 = net.concat("dense1", {own, half});
  const NodeId grow = net.conv("grow", net.relu("dense1.act", net.norm("dense1.norm", dense1)), 7, kThree);
  const NodeId late = net.relu("late", net.concat("dense2", {dense1, grow, grow}));
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
  const NodeId hidden = net.relu("hidden.act", net.linear("hidden", net.flatten("features", small), 37));
  net.softmax("probabilities", net.linear("logits", hidden, 11, false));
  return net.build();
}

Graph locked() {
  Net net({2, 6, 6});
  const NodeId free = net.conv("free", kImage, 13, kThree);
  const NodeId a = net.conv("a", free, 7, kThree);
  const NodeId b = net.conv("b", free, 5, kOne);
  const NodeId ab = net.concat("ab", {a, b});
  const NodeId grouped = net.conv("grouped", ab, 18, kThree, 3);
  const NodeId again = net.norm("again.norm", net.conv("again", grouped, 12, kThree, 6));
  const NodeId cut = net.sum("cut", again, ab);
  const NodeId cut2 = net.sum("cut2", ab, cut);
  const NodeId cut3 = net.sum("cut3", net.concat("ba", {b, a}), cut2);
  const NodeId soft = net.softmax("soft", cut3);
  net.classify(net.concat("joined", {net.sum("twice", soft, soft), free, cut}), 6);
  return net.build();
}

Graph two_ends() {
  Net net({3, 6, 5});
  const NodeId second = net.add_input("second", {4, 3, 1});
  const NodeId a = net.relu("a.act", net.conv("a", kImage, 17, kThree));
  const NodeId b =
      net.conv("b", net.apply("b.in", op::activation(Function::hard_swish), second), 17, {.kernel_h = 3});
  const NodeId middle = net.relu("middle", net.conv("middle.conv", net.sum("sum", a, b), 6, kThree));
  const NodeId more = net.conv("more", net.apply("more.in", op::relu6(), middle), 20, kThree);
  const NodeId pool = net.global("pool", net.product("more.sum", more, more));
  const NodeId features = net.flatten("features", pool);
  const NodeId logits = net.linear("logits", features, 5);
  return net.build({logits, middle, pool, features});
}

Graph two_images() {
  Net net({3, 12, 12});
  const NodeId second = net.add_input("second", {3, 12, 12});
  const NodeId a = net.conv_bn_relu("a", kImage, 8, kThree);
  net.classify(net.sum("sum", a, net.conv_bn_relu("b", second, 8, kThree)), 4);
  return net.build();
}

Graph many_outputs() {
  Net net({3, 12, 12});
  const NodeId norm = net.conv_bn("stem", kImage, 8, kThree);
  const NodeId x = net.relu("stem.act", norm);
  const NodeId scores = net.classify(net.conv_bn_relu("last", x, 7, kThree), 4);
  const NodeId hidden = net.relu("hidden.act", net.conv_bn("hidden", x, 6, kThree));
  const NodeId map = net.conv("map", net.conv_bn_relu("late", hidden, 7, kThree), 2, kOne);
  return net.build({scores, map, norm, hidden});
}

Graph cut() {
  Net net({3, 8, 8});
  const NodeId all = net.relu("all.act", net.conv("all", kImage, 43, kThree));
  const NodeId left = net.slice("left", all, 0, 20);
  const NodeId deep = net.conv("deep", net.slice("right", all, 20, 43), 23, kThree, 23);
  const NodeId own = net.apply("own", op::activation(Function::hard_swish), left);
  const NodeId again = net.conv("again", net.concat("turned", {deep, own}), 43, kThree, 1, false);
  const NodeId sum = net.sum("sum", net.norm("again.norm", again), all);
  const NodeId middle = net.slice("middle", sum, 20, 43);
  const NodeId part = net.slice("part", middle, 9, 23);
  const NodeId twice = net.sum("twice", part, net.conv("part.conv", middle, 14, kOne));
  const NodeId pooled = net.flatten("pooled", net.global("pool", net.concat("wide", {twice, sum, part})));
  const NodeId hidden = net.relu("hidden.act", net.linear("hidden", pooled, 30));
  const NodeId gate =
      net.apply("gate", op::activation(Function::sigmoid), net.slice("gate.in", hidden, 0, 15));
  net.linear("logits", net.product("gated", net.slice("gate.x", hidden, 15, 30), gate), 9);
  return net.build();
}

Graph overlapping_slices() {
  Net net({3, 12, 12});
  const NodeId x = net.conv_bn_relu("x", kImage, 14, kThree);
  const NodeId a = net.conv_bn_relu("a", net.slice("a.in", x, 0, 5), 6, kThree);
  const NodeId b = net.conv_bn_relu("b", net.slice("b.in", x, 5, 14), 6, kThree);
  const NodeId middle = net.conv_bn_relu("middle", net.slice("middle.in", x, 3, 8), 6, kThree);
  net.classify(net.sum("all", net.sum("both", a, b), middle), 4);
  return net.build();
}

Graph cut_across() {
  Net net({5, 4, 4});
  const NodeId stem = net.conv("stem", net.slice("few", kImage, 1, 4), 14, kThree);
  const NodeId free = net.relu("free", net.conv("free.conv", stem, 26, kThree));
  const NodeId grouped = net.conv("grouped", stem, 28, kThree, 7);
  const NodeId first = net.slice("parts.a", grouped, 0, 9);
  const NodeId parts = net.concat("parts", {first, net.slice("parts.b", grouped, 9, 28)});
  const NodeId mixed = net.shuffle("mixed", net.concat("mixed.in", {parts, free}), 2);
  const NodeId turned = net.shuffle("turned", net.slice("some", mixed, 3, 51), 4);
  const NodeId features = net.flatten("features", net.max_pool("small", turned, kTwo));
  const NodeId odd = net.slice("odd", features, 3, 191);
  net.linear("logits", net.sum("sum", odd, net.slice("next", features, 2, 190)), 5);
  return net.build();
}

Graph unlike_sums() {
  Net net({3, 6, 6});
  const NodeId stem = net.conv("stem", kImage, 12, kThree);
  const NodeId grouped = net.conv("grouped", stem, 12, kThree, 4);
  const NodeId a = net.conv("a", stem, 5, kOne);
  const NodeId joined = net.concat("joined", {a, net.conv("b", stem, 7, kOne)});
  const NodeId sum = net.sum("sum", grouped, net.conv("deep", joined, 12, kThree, 12));
  std::vector<NodeId> planes;  // more pieces than a layer is cut into
  for (int i = 0; i < 1100; ++i) planes.push_back(net.conv("plane" + std::to_string(i), kImage, 1, kOne));
  const NodeId whole = net.conv("whole", kImage, 1100, kOne);
  const NodeId many = net.sum("many", net.concat("planes", planes), whole);
  net.classify(net.concat("all", {sum, many}), 4);
  return net.build();
}

}  // namespace concertina::testing
