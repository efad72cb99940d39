// dropout: output (+)= input / (1 − rate) where a number is kept, and 0 elsewhere, rows × len;
// forwards and backwards alike. Whether a number is kept is a function of seed, step, layer and its
// canonical place (src/device/plan.rs), the same words of Philox as on the processor, so no mask is
// kept: that saves writing and reading a byte a number, and a run can go on anywhere.
//
// A thread takes the four places of one call of Philox (20 multiplications of 32-bit words). 8
// bytes a number, 12 where it is added to. Dividing, and not multiplying by an inverse, gives the
// processor's bytes.
#include "philox.h"

struct DropoutArguments {
    const Control* control;
    View input;
    View output;
    u64 count;
    u64 len;
    // A word below it drops its number: ⌈rate · 2^32⌉.
    u64 threshold;
    float kept;
    u32 layer;
    u32 accumulate;
    u32 unused;
};
static_assert(sizeof(DropoutArguments) == 96, "as in arguments.rs");

KERNEL(dropout, DropoutArguments) {
    const u64 replica = blockIdx.y;
    const u64 block = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    if (block * 4 >= a.count) {
        return;
    }
    const Control& control = a.control[replica];
    const float* input = a.input.data + replica * a.input.replica;
    float* output = a.output.data + replica * a.output.replica;
    u32 words[4] = {(u32)block, a.layer, control.step, 2}; // 2: the domain of dropout
    philox(words, control.seed[0], control.seed[1]);
#pragma unroll
    for (u32 word = 0; word < 4; word++) {
        const u64 place = block * 4 + word;
        if (place < a.count) {
            const u64 row = place / a.len, at = place % a.len;
            const float value = input[row * a.input.row + at] / a.kept;
            float* target = output + row * a.output.row + at;
            const float result = words[word] < a.threshold ? 0.0f : value;
            *target = a.accumulate ? *target + result : result;
        }
    }
}
