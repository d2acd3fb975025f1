#include "testing/graphs.h"
#include "testing/net.h"

namespace concertina::testing {
namespace {

/// Adds layers, each of which shares all its arrays with the one at the same place of an earlier row.
class Row {
 public:
  explicit Row(Net& net, const Row* like = nullptr) : net_(net), like_(like) {}

  NodeId operator()(NodeId layer) {
    if (like_) net_.tie(layer, like_->layers_[layers_.size()]);
    layers_.push_back(layer);
    return layer;
  }

 private:
  Net& net_;
  const Row* like_;
  std::vector<NodeId> layers_;
};

}  // namespace

Graph siamese() {
  Net net({3, 9, 8});
  const NodeId second = net.add_input("second", {3, 9, 8});
  const auto arm = [&](Row& shared, const std::string& name, NodeId image) {
    const NodeId a =
        shared(net.norm(name + ".a.norm", shared(net.conv(name + ".a", image, 9, kThree, 1, false))));
    const NodeId b = shared(net.prelu(name + ".b.act", shared(net.conv(name + ".b", a, 11, kThree))));
    const NodeId c = shared(net.group_norm(name + ".c", shared(net.scale(name + ".b.scale", b)), 0));
    return net.relu(name + ".act",
                    shared(net.linear(name, net.flatten(name + ".in", net.global(name + ".pool", c)), 7)));
  };
  Row first(net), other(net, &first);
  const NodeId a = arm(first, "first", kImage), b = arm(other, "other", second);
  net.linear("same", net.product("both", a, b), 2);
  return net.build();
}

Graph shared_head() {
  Net net({3, 12, 10});
  const NodeId large = net.conv_bn_relu("large", kImage, 10, kThree);
  const NodeId small = net.conv_bn_relu("small", large, 10, Window::square(3, 2, 1));
  const auto head = [&](Row& shared, const std::string& name, NodeId x) {
    const NodeId a = net.relu(
        name + ".a.act", net.norm(name + ".a.norm", shared(net.conv(name + ".a", x, 12, kThree, 1, false))));
    const NodeId b = net.norm(name + ".b.norm", shared(net.conv(name + ".b", a, 12, kThree, 12, false)));
    return shared(net.conv(name, net.relu(name + ".b.act", b), 4, kOne));
  };
  Row first(net), other(net, &first);
  const NodeId a = head(first, "large.head", large), b = head(other, "small.head", small);
  return net.build({a, b});
}

Graph recurrent() {
  Net net({3, 7, 6});
  NodeId x = net.relu("stem.act", net.conv("stem", kImage, 12, kThree));
  const auto repeat = [&](const std::string& name, int times, const auto& layer) {
    Row first(net);
    for (int i = 0; i < times; ++i) {
      Row again(net, &first);
      const std::string step = name + std::to_string(i);
      x = net.norm(step + ".norm", i == 0 ? first(layer(step)) : again(layer(step)));
    }
  };
  repeat("mix", 3, [&](const std::string& name) { return net.conv(name, x, 12, kThree, 1, false); });
  repeat("deep", 2, [&](const std::string& name) { return net.conv(name, x, 12, kThree, 12); });
  repeat("groups", 2, [&](const std::string& name) { return net.conv(name, x, 12, kThree, 4); });
  x = net.linear("hidden", net.flatten("flatten", net.global("pool", x)), 10);
  repeat("state", 2, [&](const std::string& name) { return net.linear(name, x, 10); });
  net.linear("logits", x, 4);
  return net.build();
}

Graph shared_in_part() {
  Net net({3, 8, 8});
  const NodeId left = net.relu("left.act", net.conv("left", kImage, 5, kThree));
  const NodeId right = net.relu("right.act", net.conv("right", kImage, 9, kThree));
  const NodeId whole = net.relu("whole.act", net.conv("whole", kImage, 14, kThree));
  const NodeId a = net.conv("a", net.concat("both", {left, right}), 10, kThree);
  const NodeId b = net.conv("b", whole, 10,
                            {.kernel_h = 3,
                             .kernel_w = 3,
                             .pad_top = 2,
                             .pad_left = 2,
                             .pad_bottom = 2,
                             .pad_right = 2,
                             .dilation_h = 2,
                             .dilation_w = 2});
  const NodeId c = net.conv("c", whole, 10, Window::square(3, 2, 1), 1, false);
  net.tie(b, a, "weight");
  net.tie(c, a, "weight");
  const NodeId a_norm = net.norm("a.norm", a), b_norm = net.norm("b.norm", b);
  net.tie(b_norm, a_norm, "bias");
  const NodeId half = net.average("half", net.concat("all", {a_norm, b_norm}), Window::square(3, 2, 1));
  net.classify(net.relu("last.act", net.concat("last", {half, c})), 5);
  return net.build();
}

}  // namespace concertina::testing
