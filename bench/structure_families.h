#pragma once

#include "structure_layers.h"

/// The structures, each as what adds its layers to an input. The last layer is the output.
namespace concertina::bench {

// structures_residual.cc
void add_resnet50(StructureLayers& net, int classes);
void add_resnext50(StructureLayers& net, int classes);
void add_regnet_y_400mf(StructureLayers& net, int classes);
void add_convnext_tiny(StructureLayers& net, int classes);

// structures_joined.cc
void add_densenet121(StructureLayers& net, int classes);
void add_googlenet(StructureLayers& net, int classes);
void add_squeezenet(StructureLayers& net, int classes);
void add_unet(StructureLayers& net, int classes);

// structures_mobile.cc
void add_mobilenet_v2(StructureLayers& net, int classes);
void add_mobilenet_v3_large(StructureLayers& net, int classes);
void add_efficientnet_b0(StructureLayers& net, int classes);
void add_shufflenet_v2(StructureLayers& net, int classes);

}  // namespace concertina::bench
