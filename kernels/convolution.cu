// Convolutions in binary32 (convolution.h), and the sums of parts of any.
#include "convolution.h"

CONVOLUTIONS(, Fused)

// One thread a number of C, and then a sum. Replicas are in the third direction, as above.
template <bool WEIGHT>
static __device__ inline void add_up(const ConvolutionArguments& a) {
    const u32 at = blockIdx.x * blockDim.x + threadIdx.x;
    const u32 numbers = a.m * a.n;
    if (at >= numbers + (a.sums.data ? a.m : 0)) {
        return;
    }
    const float* partial = a.partial.data + blockIdx.z * a.partial.replica + at;
    float sum = 0;
    for (u32 split = 0; split < a.splits; split++) {
        sum += partial[split * ((u64)numbers + a.m)];
    }
    if (at >= numbers) {
        a.sums.data[blockIdx.z * a.sums.replica + (at - numbers)] = sum;
        return;
    }
    const u32 line = at / a.n;
    float* target = target_of<WEIGHT>(a, at % a.n) + (u64)line * line_of<WEIGHT>(a);
    const Epilogue way = {a.bias.data != nullptr, a.relu != 0, a.accumulate != 0};
    const float bias = way.biased ? a.bias.data[blockIdx.z * a.bias.replica + line] : 0.0f;
    *target = way.out(sum, bias, way.added ? *target : 0.0f);
}

KERNEL(convolution_finish, ConvolutionArguments) {
    add_up<false>(a);
}

KERNEL(convolution_weight_finish, ConvolutionArguments) {
    add_up<true>(a);
}
