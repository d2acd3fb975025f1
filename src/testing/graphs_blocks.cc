#include "testing/graphs.h"
#include "testing/net.h"

namespace concertina::testing {
namespace {

using op::Function;

/// A dense layer: what came before and 5 channels more.
NodeId grow(Net& net, const std::string& name, NodeId all) {
  const NodeId act = net.relu(name + ".act", net.norm(name + ".norm", all));
  const NodeId narrow = net.norm(name + ".narrow.norm", net.conv(name + ".narrow", act, 8, kOne, 1, false));
  const NodeId more = net.conv(name, net.relu(name + ".narrow.act", narrow), 5, kThree, 1, false);
  return net.concat(name + ".all", {all, more});
}

/// ShuffleNet V2: half of the channels pass, the others are convolved, all are shuffled.
NodeId shuffle_unit(Net& net, const std::string& name, NodeId x, int half) {
  const NodeId left = net.slice(name + ".left", x, 0, half);
  const NodeId right = net.slice(name + ".right", x, half, 2 * half);
  const NodeId a = net.conv_bn_relu(name + ".a", right, half + 2, kOne);
  const NodeId b = net.norm(name + ".b.norm", net.conv(name + ".b", a, half + 2, kThree, half + 2, false));
  const NodeId c = net.relu(name + ".c.act", net.conv(name + ".c", b, half, kOne));
  return net.shuffle(name + ".shuffle", net.concat(name + ".join", {left, c}), 2);
}

}  // namespace

Graph squeeze_excite() {
  const op::Activation hard_swish = op::activation(Function::hard_swish);
  Net net({3, 9, 7});
  const NodeId stem =
      net.apply("stem.act", hard_swish, net.norm("stem.norm", net.conv("stem", kImage, 19, kThree)));
  const NodeId deep = net.apply("deep.act", hard_swish, net.conv("deep", stem, 19, dilated(), 19));
  const NodeId less = net.relu("less.act", net.conv("less", net.global("squeeze", deep), 5, kOne));
  const NodeId excite = net.apply("excite.act", op::activation(Function::hard_sigmoid, 0.2F, 0.5F),
                                  net.conv("excite", less, 19, kOne));
  const NodeId mixed = net.conv("mix", net.product("scaled", deep, excite), 33, kOne);
  const NodeId vector = net.flatten("vector", net.global("squeeze2", mixed));
  const NodeId hidden =
      net.apply("hidden.act", op::activation(Function::leaky_relu, 0.1F), net.linear("hidden", vector, 6));
  const NodeId gate =
      net.apply("gate.act", op::activation(Function::sigmoid), net.linear("gate", hidden, 33));
  const NodeId map = net.add("gate.map", op::AsMap{}, {gate});
  net.classify(net.relu("gated.act", net.product("gated", mixed, map)), 7);
  return net.build();
}

Graph unet() {
  using Resize = op::Resize;
  Net net({3, 10, 12});
  const NodeId high = net.conv_bn_relu("high", kImage, 11, kThree);
  const NodeId middle = net.apply("middle.act", op::activation(Function::leaky_relu, 0.2F),
                                  net.conv("middle", net.max_pool("down", high, kTwo), 18, kThree));
  const NodeId low = net.conv_bn_relu("low", net.max_pool("down2", middle, kTwo), 10, kThree);
  const NodeId up = net.resize("up", low, 5, 6, Resize::Mode::nearest, Resize::Coordinates::asymmetric);
  const NodeId mixed = net.conv_bn_relu("mixed", net.concat("join", {up, middle}), 7, kThree);
  const NodeId up2 = net.resize("up2", mixed, 10, 12, Resize::Mode::linear, Resize::Coordinates::half_pixel);
  const NodeId fine = net.norm("fine.norm", net.conv("fine", net.concat("join2", {up2, high}), 13, kThree));
  const NodeId larger =
      net.resize("larger", fine, 15, 18, Resize::Mode::linear, Resize::Coordinates::half_pixel);
  const NodeId unlike =
      net.resize("unlike", larger, 7, 23, Resize::Mode::linear, Resize::Coordinates::align_corners);
  net.apply("mask.act", op::activation(Function::sigmoid), net.conv("mask", unlike, 3, kOne));
  return net.build();
}

Graph transposed() {
  const Window twice = {
      .kernel_h = 2, .kernel_w = 2, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
  const Window uneven = {3, 3, 1, 1, 1, 1, 2, 3, 1, 1};
  const Window wide = {3, 2, 1, 1, 3, 0, 4, 2, 2, 2};
  Net net({3, 8, 6});
  const NodeId high = net.conv_bn_relu("high", kImage, 11, kThree);
  const NodeId low = net.conv_bn_relu("low", net.max_pool("down", high, kTwo), 18, kThree);
  const NodeId up =
      net.relu("up.act", net.norm("up.norm", net.conv_transpose("up", low, 9, twice, 2, 2, 1, false)));
  const NodeId joined = net.concat("join", {up, high});
  const NodeId sum =
      net.sum("sum", net.conv_transpose("deep", joined, 20, kThree, 1, 2, 20),
              net.conv_transpose("dense", joined, 20, {.kernel_h = 1, .kernel_w = 2, .pad_right = 1}, 1, 2));
  const NodeId larger = net.norm("larger.norm", net.conv_transpose("larger", sum, 7, uneven, 2, 3));
  const NodeId grouped = net.conv("grouped.in", net.max_pool("less", larger, Window::square(3, 3)), 12, kOne);
  const NodeId wider = net.conv_transpose("grouped", grouped, 24, wide, 3, 2, 4);
  const NodeId one = net.conv_transpose("one", net.global("mean", wider), 5, twice, 2, 2);
  net.classify(
      net.product("product", net.conv("wider.conv", wider, 5, kOne), net.max_pool("one.max", one, kTwo)), 4);
  return net.build();
}

Graph blocks() {
  using Order = op::Blocks::Order;
  constexpr Order kDepthFirst = Order::depth_column_row, kDepthLast = Order::column_row_depth;
  Net net({3, 8, 12});
  const NodeId deep = net.space_to_depth("deep", kImage, 2, kDepthFirst);
  const NodeId stem = net.conv_bn_relu("stem", deep, 44, kThree);
  const NodeId wide = net.depth_to_space("wide", stem, 2, kDepthFirst);
  const NodeId both = net.concat("both", {wide, net.conv("side", wide, 6, kThree)});
  const NodeId joined = net.concat("joined", {net.space_to_depth("deeper", both, 4, kDepthFirst),
                                              net.space_to_depth("deeper.last", both, 4, kDepthLast)});
  const NodeId a = net.conv("a", joined, 63, kOne);
  const NodeId b = net.depth_to_space("b", net.norm("a.norm", a), 3, kDepthLast);
  const NodeId c = net.relu("c.act", net.sum("c", net.conv("b.conv", b, 7, kThree), b));
  const NodeId d = net.concat("d", {net.conv("d.left", c, 9, kThree), net.conv("d.right", c, 7, kOne)});
  const NodeId locked = net.depth_to_space("locked", d, 2, kDepthLast);
  const NodeId parts = net.depth_to_space("parts", d, 2, kDepthFirst);
  net.classify(net.product("product", locked, parts), 4);
  return net.build();
}

Graph resnext() {
  Net net({3, 12, 12});
  const NodeId stem = net.conv("stem", kImage, 20, kThree);
  const NodeId b = net.conv_bn_relu("b", net.conv_bn_relu("a", stem, 32, kOne), 32, kThree, 8);
  const NodeId block = net.relu("block.act", net.sum("block", net.conv_bn("c", b, 20, kOne), stem));
  // Two outputs for each input of a group, far from each other, and then the groups' own residual.
  const NodeId wide = net.apply("wide.act", op::relu6(), net.conv("wide", block, 40, dilated(), 4));
  const NodeId sum = net.sum("sum", net.conv("same", wide, 40, kThree, 4), wide);
  const NodeId less = net.conv_bn_relu("less", sum, 60, Window::square(3, 2, 1), 20);
  net.classify(net.conv_bn_relu("deep", less, 120, kThree, 60), 4);
  return net.build();
}

Graph shufflenet() {
  Net net({3, 8, 6});
  const NodeId stem = net.relu("stem.act", net.conv("stem", kImage, 22, kThree));
  const NodeId units = shuffle_unit(net, "two", shuffle_unit(net, "one", stem, 11), 11);
  net.classify(net.conv("last", units, 35, kOne), 6);
  return net.build();
}

Graph densenet() {
  Net net({3, 10, 10});
  const NodeId stem = net.relu("stem.act", net.conv("stem", kImage, 9, kThree));
  const NodeId all = grow(net, "c", grow(net, "b", grow(net, "a", stem)));
  const NodeId half = net.conv("half", net.relu("half.act", net.norm("half.norm", all)), 12, kOne, 1, false);
  const NodeId again = grow(net, "d", net.average("down", half, kTwo));
  net.classify(net.relu("end.act", net.norm("end.norm", again)), 8);
  return net.build();
}

Graph attention() {
  Net net({3, 7, 9});
  const NodeId x = net.conv_bn_relu("x", kImage, 21, kThree);
  const NodeId pixels = net.apply("pixels.act", op::activation(Function::sigmoid),
                                  net.conv("pixels", x, 1, Window::square(5, 1, 2)));
  const NodeId seen = net.product("seen", x, pixels);
  const NodeId bias = net.sum("channels", seen, net.conv("bias", net.global("mean", x), 21, kOne));
  const NodeId mean = net.global("mean2", bias);
  const NodeId all = net.sum("all.sum", bias, net.conv("all", mean, 1, kOne));
  const NodeId offset = net.linear("offset", net.flatten("mean2.vector", mean), 1);
  const NodeId both =
      net.apply("both.act", op::relu6(), net.sum("both", all, net.add("offset.map", op::AsMap{}, {offset})));
  const NodeId spread = net.conv("spread", net.concat("with.pixels", {both, pixels}), 44, kThree, 22);
  const NodeId mask = net.sum("mask", net.conv("late", spread, 17, kThree), pixels);
  const NodeId squared = net.product("squared", mask, mask);
  net.classify(net.product("product", squared, net.conv("other", both, 17, kOne)), 4);
  return net.build();
}

Graph pads() {
  using Mode = op::Pad::Mode;
  Net net({3, 6, 7});
  const NodeId stem = net.conv("stem", net.pad("edge", kImage, {1, 2, 0, 1}, Mode::edge), 18, kThree);
  const NodeId leaky = net.apply("leaky", op::activation(Function::leaky_relu, 0.05F), stem);
  const NodeId scaled = net.shift("shifted", net.scale("scaled", leaky));
  const NodeId reflect = net.pad("reflect", scaled, {2, 3, 1, 0}, Mode::reflect);
  const NodeId pooled = net.max_pool("pooled", reflect, dilated());
  const NodeId conv = net.scale("conv.scale", net.conv("conv", pooled, 22, dilated(), 1, false));
  const NodeId biased = net.norm("conv.norm", net.shift("conv.shift", conv));
  const NodeId clipped = net.apply("clipped", op::activation(Function::clip, -0.75F, 1.5F), biased);
  const NodeId constant = net.pad("constant", clipped, {-1, 1, 2, -2}, Mode::constant, -0.5F);
  net.classify(net.relu("last.act", net.scale("last", constant)), 5);
  return net.build();
}

Graph windows() {
  using Mode = op::Pad::Mode;
  const Window wide = {3, 3, 1, 1, 2, 2, 1, 1, 2, 2};
  Net net({3, 12, 12});
  const NodeId reflect = net.pad("reflect", kImage, {2, 1, 0, 3}, Mode::reflect);
  const NodeId stem = net.norm("stem.norm", net.conv("stem", reflect, 6, wide, 1, false));
  const NodeId leaky = net.apply("leaky", op::activation(Function::leaky_relu, 0.1F), stem);
  const NodeId edge =
      net.pad("edge", net.shift("shift", net.scale("scale", leaky)), {0, 2, 2, 0}, Mode::edge);
  const NodeId clipped =
      net.apply("clipped", op::activation(Function::clip, -0.5F, 1.5F), net.conv("conv", edge, 8, wide));
  const NodeId constant = net.pad("constant", clipped, {1, 0, 0, 1}, Mode::constant, 0.5F);
  const NodeId mean = net.average("mean", constant, {2, 3, 2, 2, 1, 0, 0, 1, 1, 1});
  const NodeId largest = net.max_pool("largest", mean, {3, 2, 1, 1, 1, 0, 0, 0, 2, 1});
  const NodeId hidden = net.linear("hidden", net.flatten("features", largest), 7);
  const NodeId shifted = net.shift("vector.shift", net.scale("vector.scale", hidden));
  net.linear("logits", net.apply("vector.act", op::relu6(), shifted), 4);
  return net.build();
}

Graph dilated_means() {
  const Window mean = {2, 3, 2, 2, 1, 0, 0, 1, 1, 2};
  Net net({3, 12, 12});
  const NodeId x = net.average("mean", net.conv_bn_relu("stem", kImage, 8, kThree), mean);
  net.classify(net.conv_bn_relu("conv", net.average("counting", x, mean, true), 6, kThree), 4);
  return net.build();
}

Graph padded_shortcuts() {
  Net net({3, 9, 9});
  const Window half = Window::square(3, 2, 1), every_other = Window::square(1, 2);
  const NodeId stem = net.conv_bn_relu("stem", kImage, 9, kThree);
  const NodeId a = net.conv_bn("a", stem, 17, half);
  const NodeId both = net.pad_channels("both", net.max_pool("both.pixels", stem, every_other), 3, 5);
  const NodeId x = net.relu("x", net.sum("a.sum", a, both));
  const NodeId b = net.conv_bn("b", x, 21, half);
  const NodeId one = net.pad_channels("one", net.max_pool("one.pixels", x, every_other), 0, 4);
  net.classify(net.relu("y", net.sum("b.sum", one, b)), 4);
  return net.build();
}

Graph group_norms() {
  Net net({3, 7, 6});
  const NodeId stem = net.group_norm("instance", net.conv("stem", kImage, 37, kThree), 1);
  const NodeId left = net.relu("left.act", net.group_norm("groups", net.conv("left", stem, 12, kThree), 3));
  const NodeId right = net.group_norm("all", net.conv("right", stem, 9, kThree), 0);
  const NodeId both = net.layer_norm("pixels", net.concat("both", {left, right}));
  const NodeId x =
      net.group_norm("both.instance", net.concat("again", {both, net.conv("c", both, 5, kOne)}), 1);
  const NodeId hidden = net.linear("hidden", net.flatten("flatten", x), 7);
  net.linear("logits", net.layer_norm("vector", hidden), 4);
  return net.build();
}

Graph across_channels() {
  using Kind = op::ChannelReduce::Kind;
  Net net({3, 8, 7});
  const NodeId a = net.conv_bn_relu("a", kImage, 19, kThree);
  const NodeId b = net.concat("b", {a, net.conv("b.conv", a, 6, kThree)});
  const NodeId both = net.concat(
      "both", {net.reduce_channels("b.mean", b, Kind::mean), net.reduce_channels("b.max", b, Kind::max)});
  const NodeId mask = net.apply("mask.act", op::activation(Function::sigmoid),
                                net.conv("mask", both, 1, Window::square(5, 1, 2)));
  const NodeId c = net.conv("c", net.product("masked", b, mask), 13, kThree);
  const NodeId normed = net.local_response("five", net.local_response("three", c, 3), 5);
  const NodeId d = net.conv_bn_relu("d", normed, 9, kOne);
  const NodeId squares = net.reduce_channels("sum", net.product("squares", d, d), Kind::sum);
  const NodeId above_0 = net.apply("positive", op::activation(Function::softplus), squares);
  const NodeId length = net.apply("length", op::activation(Function::sqrt), above_0);
  const NodeId inverse = net.apply("inverse", op::activation(Function::reciprocal), length);
  net.classify(net.product("unit", d, inverse), 4);
  return net.build();
}

Graph functions() {
  const op::Activation all[] = {op::activation(Function::tanh),
                                op::activation(Function::elu, 0.7F),
                                op::activation(Function::selu, 1.67326319F, 1.05070102F),
                                op::activation(Function::softplus),
                                op::activation(Function::mish),
                                op::activation(Function::erf),
                                op::activation(Function::gelu),
                                op::activation(Function::gelu_tanh)};
  Net net({3, 6, 5});
  NodeId x = net.prelu("stem.act", net.conv("stem", kImage, 9, kThree));
  // Slopes for outputs of several segments: of two inputs, and of one that is sliced.
  x = net.concat("both", {x, net.conv("side", kImage, 5, kOne)});
  x = net.prelu("deep.act", net.conv("deep", x, 14, kThree, 14));
  const NodeId up = net.prelu("up.act", net.conv_transpose("up", x, 10, Window::square(2, 1, 1), 2, 2));
  const NodeId left = net.conv("left", net.slice("up.left", up, 0, 4), 5, kThree);
  const NodeId right = net.conv("right", net.slice("up.right", up, 4, 10), 6, kThree);
  x = net.max_pool("down", net.concat("halves", {left, right}), kTwo);
  const NodeId gated = net.conv("gated", x, 7, kThree);
  x = net.product("silu", gated, net.apply("gate", op::activation(Function::sigmoid), gated));
  for (std::size_t i = 0; i < std::size(all); ++i) {
    const std::string name = "layer" + std::to_string(i);
    const NodeId layer = net.norm(name + ".norm", net.conv(name, x, 6 + static_cast<int>(i % 3), kThree));
    x = net.apply(name + ".act", all[i], layer);
  }
  const NodeId hidden = net.linear("hidden", net.flatten("flatten", x), 7);
  const NodeId bent = net.prelu("hidden.slopes", net.apply("hidden.act", all[0], hidden));
  net.log_softmax("scores", net.linear("logits", bent, 4));
  return net.build();
}

}  // namespace concertina::testing
