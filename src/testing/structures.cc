#include "testing/models.h"
#include "testing/net.h"

namespace concertina::testing {
namespace {

using op::Function;

op::Activation hard_sigmoid() {
  return op::activation(Function::hard_sigmoid, 0.2F, 0.5F);
}

NodeId classifier(Net& net, NodeId x, int channels, int classes) {
  return net.linear("logits", net.flatten("features", net.global("pool", x), 1), channels, classes);
}

/// A dense layer: what came before and 5 channels more.
NodeId grow(Net& net, const std::string& name, NodeId all, int channels) {
  const NodeId act = net.add(name + ".act", op::relu(), {net.norm(name + ".norm", all, channels)});
  return net.concat(name + ".all", {all, net.conv(name, act, channels, 5, kThree, 1, false)});
}

/// ShuffleNet V2: half of the channels pass, the others are convolved, all are shuffled.
NodeId shuffle_unit(Net& net, const std::string& name, NodeId x, int half) {
  const NodeId left = net.slice(name + ".left", x, 0, half);
  const NodeId right = net.slice(name + ".right", x, half, 2 * half);
  const NodeId a = net.add(name + ".a.act", op::relu(), {net.conv(name + ".a", right, half, half, kOne)});
  const NodeId b =
      net.norm(name + ".b.norm", net.conv(name + ".b", a, half, half, kThree, half, false), half);
  const NodeId c = net.add(name + ".c.act", op::relu(), {net.conv(name + ".c", b, half, half, kOne)});
  return net.shuffle(name + ".shuffle", net.concat(name + ".join", {left, c}), 2);
}

}  // namespace

Graph squeeze_excite() {
  Net net({3, 9, 7});
  const NodeId stem = net.add("stem.act", op::activation(Function::hard_swish),
                              {net.norm("stem.norm", net.conv("stem", kImage, 3, 19, kThree), 19)});
  const NodeId deep = net.add("deep.act", op::activation(Function::hard_swish),
                              {net.conv("deep", stem, 19, 19, dilated(), 19)});
  const NodeId less =
      net.add("less.act", op::relu(), {net.conv("less", net.global("squeeze", deep), 19, 5, kOne)});
  const NodeId excite = net.add("excite.act", hard_sigmoid(), {net.conv("excite", less, 5, 19, kOne)});
  const NodeId mixed = net.conv("mix", net.add("scaled", op::Mul{}, {deep, excite}), 19, 33, kOne);
  const NodeId vector = net.flatten("vector", net.global("squeeze2", mixed), 1);
  const NodeId hidden = net.add("hidden.act", op::activation(Function::leaky_relu, 0.1F),
                                {net.linear("hidden", vector, 33, 6)});
  const NodeId gate =
      net.add("gate.act", op::activation(Function::sigmoid), {net.linear("gate", hidden, 6, 33)});
  const NodeId map = net.add("gate.map", op::AsMap{}, {gate});
  const NodeId gated = net.add("gated.act", op::relu(), {net.add("gated", op::Mul{}, {mixed, map})});
  classifier(net, gated, 33, 7);
  return net.build();
}

Graph unet() {
  using Resize = op::Resize;
  Net net({2, 10, 12});
  const NodeId high = net.add("high.act", op::relu(), {net.conv("high", kImage, 2, 11, kThree)});
  const NodeId low = net.add("low.act", op::activation(Function::leaky_relu, 0.2F),
                             {net.conv("low", net.max("down", high, Window::square(2, 2)), 11, 18, kThree)});
  const NodeId up =
      net.resize("up", low, {18, 5, 6}, 10, 12, Resize::Mode::nearest, Resize::Coordinates::asymmetric);
  const NodeId join = net.concat("join", {up, high});
  const NodeId fine = net.norm("fine.norm", net.conv("fine", join, 29, 13, kThree), 13);
  const NodeId larger =
      net.resize("larger", fine, {13, 10, 12}, 15, 18, Resize::Mode::linear, Resize::Coordinates::half_pixel);
  const NodeId smaller = net.resize("smaller", larger, {13, 15, 18}, 7, 9, Resize::Mode::linear,
                                    Resize::Coordinates::align_corners);
  const NodeId mask = net.conv("mask", smaller, 13, 3, kOne);
  net.add("mask.act", op::activation(Function::sigmoid), {mask});
  return net.build();
}

Graph resnext() {
  Net net({3, 8, 8});
  const NodeId stem = net.conv("stem", kImage, 3, 20, kThree);
  const NodeId a =
      net.add("a.act", op::relu(), {net.norm("a.norm", net.conv("a", stem, 20, 32, kOne, 1, false), 32)});
  const NodeId b =
      net.add("b.act", op::relu(), {net.norm("b.norm", net.conv("b", a, 32, 32, kThree, 8, false), 32)});
  const NodeId c = net.norm("c.norm", net.conv("c", b, 32, 20, kOne, 1, false), 20);
  const NodeId block = net.add("block.act", op::relu(), {net.add("block", op::Add{}, {c, stem})});
  // Two outputs for each input of a group, far from each other, and then the groups' own residual.
  const NodeId wide = net.add("wide.act", op::relu6(), {net.conv("wide", block, 20, 40, dilated(), 4)});
  const NodeId same = net.conv("same", wide, 40, 40, kThree, 4);
  const NodeId sum = net.add("sum", op::Add{}, {same, wide});
  const NodeId last = net.conv("last", sum, 40, 60, Window::square(3, 2, 1), 20);
  classifier(net, last, 60, 5);
  return net.build();
}

Graph shufflenet() {
  Net net({3, 8, 6});
  const NodeId stem = net.add("stem.act", op::relu(), {net.conv("stem", kImage, 3, 22, kThree)});
  const NodeId one = shuffle_unit(net, "one", stem, 11);
  const NodeId two = shuffle_unit(net, "two", one, 11);
  classifier(net, net.conv("last", two, 22, 35, kOne), 35, 6);
  return net.build();
}

Graph densenet() {
  Net net({3, 10, 10});
  const NodeId stem = net.add("stem.act", op::relu(), {net.conv("stem", kImage, 3, 9, kThree)});
  const NodeId all = grow(net, "c", grow(net, "b", grow(net, "a", stem, 9), 14), 19);
  const NodeId half = net.conv("half", net.add("half.act", op::relu(), {net.norm("half.norm", all, 24)}), 24,
                               12, kOne, 1, false);
  const NodeId again = grow(net, "d", net.average("down", half, Window::square(2, 2), false), 12);
  classifier(net, net.add("end.act", op::relu(), {net.norm("end.norm", again, 17)}), 17, 8);
  return net.build();
}

Graph attention() {
  Net net({3, 7, 9});
  const NodeId x = net.add("x.act", op::relu(), {net.conv("x", kImage, 3, 21, kThree)});
  const NodeId pixels = net.add("pixels.act", op::activation(Function::sigmoid),
                                {net.conv("pixels", x, 21, 1, Window::square(5, 1, 2))});
  const NodeId seen = net.add("seen", op::Mul{}, {x, pixels});
  const NodeId bias =
      net.add("channels", op::Add{}, {seen, net.conv("bias", net.global("mean", x), 21, 21, kOne)});
  const NodeId all = net.conv("all", net.global("mean2", bias), 21, 1, kOne);
  const NodeId both = net.add("both.act", op::relu6(), {net.add("both", op::Add{}, {bias, all})});
  const NodeId spread = net.conv("spread", net.concat("with.pixels", {both, pixels}), 22, 44, kThree, 22);
  const NodeId mask = net.add("mask", op::Add{}, {net.conv("late", spread, 44, 17, kThree), pixels});
  const NodeId squared = net.add("squared", op::Mul{}, {mask, mask});
  classifier(net, net.add("product", op::Mul{}, {squared, net.conv("other", both, 21, 17, kOne)}), 17, 4);
  return net.build();
}

Graph pads() {
  using Mode = op::Pad::Mode;
  Net net({3, 6, 7});
  const NodeId edge = net.pad("edge", kImage, {1, 2, 0, 1}, Mode::edge);
  const NodeId stem = net.conv("stem", edge, 3, 18, kThree);
  const NodeId leaky = net.add("leaky", op::activation(Function::leaky_relu, 0.05F), {stem});
  const NodeId scaled = net.shift("shifted", net.scale("scaled", leaky, 18), 18);
  const NodeId reflect = net.pad("reflect", scaled, {2, 3, 1, 0}, Mode::reflect);
  const NodeId pooled = net.max("pooled", reflect, dilated());
  const NodeId conv = net.scale("conv.scale", net.conv("conv", pooled, 18, 22, dilated(), 1, false), 22);
  const NodeId biased = net.norm("conv.norm", net.shift("conv.shift", conv, 22), 22);
  const NodeId clipped = net.add("clipped", op::activation(Function::clip, -0.75F, 1.5F), {biased});
  const NodeId constant = net.pad("constant", clipped, {0, 1, 2, 0}, Mode::constant, -0.5F);
  const NodeId last = net.add("last.act", op::relu(), {net.scale("last", constant, 22)});
  classifier(net, last, 22, 5);
  return net.build();
}

Graph two_ends() {
  Net net({3, 6, 5});
  const NodeId second = net.input("second", {4, 3, 1});
  const NodeId a = net.add("a.act", op::relu(), {net.conv("a", kImage, 3, 17, kThree)});
  const NodeId b =
      net.conv("b", net.add("b.in", op::activation(Function::hard_swish), {second}), 4, 17, {.kernel_h = 3});
  const NodeId sum = net.add("sum", op::Add{}, {a, b});
  const NodeId middle = net.add("middle", op::relu(), {net.conv("middle.conv", sum, 17, 6, kThree)});
  const NodeId more = net.conv("more", net.add("more.in", op::relu6(), {middle}), 6, 20, kThree);
  const NodeId pool = net.global("pool", net.add("more.sum", op::Mul{}, {more, more}));
  const NodeId features = net.flatten("features", pool, 1);
  const NodeId logits = net.linear("logits", features, 20, 5);
  return net.build({logits, middle, pool, features});
}

Graph cut() {
  Net net({3, 8, 8});
  const NodeId all = net.add("all.act", op::relu(), {net.conv("all", kImage, 3, 43, kThree)});
  const NodeId left = net.slice("left", all, 0, 20);
  const NodeId right = net.slice("right", all, 20, 43);
  const NodeId deep = net.conv("deep", right, 23, 23, kThree, 23);
  const NodeId own = net.add("own", op::activation(Function::hard_swish), {left});
  const NodeId again = net.conv("again", net.concat("turned", {deep, own}), 43, 43, kThree, 1, false);
  const NodeId sum = net.add("sum", op::Add{}, {net.norm("again.norm", again, 43), all});
  const NodeId middle = net.slice("middle", sum, 20, 43);
  const NodeId part = net.slice("part", middle, 9, 23);
  const NodeId twice = net.add("twice", op::Add{}, {part, net.conv("part.conv", middle, 23, 14, kOne)});
  const NodeId wide = net.concat("wide", {twice, sum, part});
  const NodeId pooled = net.flatten("pooled", net.global("pool", wide), 1);
  const NodeId hidden = net.add("hidden.act", op::relu(), {net.linear("hidden", pooled, 71, 30)});
  const NodeId gate =
      net.add("gate", op::activation(Function::sigmoid), {net.slice("gate.in", hidden, 0, 15)});
  const NodeId gated = net.add("gated", op::Mul{}, {net.slice("gate.x", hidden, 15, 30), gate});
  net.linear("logits", gated, 15, 9);
  return net.build();
}

Graph unlike_sums() {
  Net net({3, 6, 6});
  const NodeId stem = net.conv("stem", kImage, 3, 12, kThree);
  const NodeId grouped = net.conv("grouped", stem, 12, 12, kThree, 4);
  const NodeId joined =
      net.concat("joined", {net.conv("a", stem, 12, 5, kOne), net.conv("b", stem, 12, 7, kOne)});
  const NodeId deep = net.conv("deep", joined, 12, 12, kThree, 12);
  const NodeId sum = net.add("sum", op::Add{}, {grouped, deep});
  std::vector<NodeId> planes;  // more pieces than a layer is cut into
  for (int i = 0; i < 1100; ++i) planes.push_back(net.conv("plane" + std::to_string(i), kImage, 3, 1, kOne));
  const NodeId whole = net.conv("whole", kImage, 3, 1100, kOne);
  const NodeId many = net.add("many", op::Add{}, {net.concat("planes", planes), whole});
  const NodeId all = net.concat("all", {sum, many});
  classifier(net, all, 1112, 4);
  return net.build();
}

Graph cut_across() {
  Net net({5, 4, 4});
  const NodeId few = net.slice("few", kImage, 1, 4);
  const NodeId stem = net.conv("stem", few, 3, 14, kThree);
  const NodeId free = net.add("free", op::relu(), {net.conv("free.conv", stem, 14, 26, kThree)});
  const NodeId grouped = net.conv("grouped", stem, 14, 28, kThree, 7);
  const NodeId parts =
      net.concat("parts", {net.slice("parts.a", grouped, 0, 9), net.slice("parts.b", grouped, 9, 28)});
  const NodeId mixed = net.shuffle("mixed", net.concat("mixed.in", {parts, free}), 2);
  const NodeId turned = net.shuffle("turned", net.slice("some", mixed, 3, 51), 4);
  const NodeId features = net.flatten("features", net.max("small", turned, Window::square(2, 2)), 4);
  const NodeId odd = net.slice("odd", features, 3, 191);
  const NodeId next = net.slice("next", features, 2, 190);
  net.linear("logits", net.add("sum", op::Add{}, {odd, next}), 188, 5);
  return net.build();
}

}  // namespace concertina::testing
