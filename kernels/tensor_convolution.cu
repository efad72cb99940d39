// Convolutions on tensor cores (convolution.h, tensor_tile.h): images, weights and gradients stay
// binary32 in memory and are rounded on their way in, so bytes are those of convolution.cu; the
// gradient of the bias is summed unrounded.
#include "convolution.h"
#include "tensor_tile.h"

CONVOLUTIONS(_tf32, Tensor<Tf32>)
CONVOLUTIONS(_bf16, Tensor<Bf16>)
