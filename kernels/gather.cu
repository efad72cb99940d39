// The samples of a batch.
//
// select_batch: chosen[r] = order[position + r], or position + r without an order; beyond the
// order, an index that no sample has. Then position += rows. The position lives on the device, so
// that a captured step goes on through an epoch by itself. One block a replica; 8 bytes a sample.
//
// gather_images: output[r] = images[chosen[r]], rows × len; not a number where there is no such
// image, so that the loss shows it. Reads and writes every number once: 8 bytes each, four numbers
// a thread and instruction where rows are aligned. A block moves 1024 numbers of a row.
#include "device.h"

struct SelectArguments {
    Control* control;
    // No data: none.
    Indices order;
    u64 samples;
    Indices chosen;
    u64 rows;
};
static_assert(sizeof(SelectArguments) == 56, "as in arguments.rs");

KERNEL(select_batch, SelectArguments) {
    const u32 replica = blockIdx.x;
    Control* control = a.control + replica;
    const u32* order = a.order.data + replica * a.order.replica;
    u32* chosen = a.chosen.data + replica * a.chosen.replica;
    const u64 position = control->position;
    const u64 most = 0xFFFFFFFF;
    for (u64 row = threadIdx.x; row < a.rows; row += blockDim.x) {
        const u64 at = position + row < most ? position + row : most;
        chosen[row] = !a.order.data ? (u32)at : at < a.samples ? order[at] : (u32)most;
    }
    __syncthreads(); // all have read the position
    if (threadIdx.x == 0) {
        control->position = (u32)(position + a.rows < most ? position + a.rows : most);
    }
}

struct GatherArguments {
    Array images;
    u64 samples;
    Indices chosen;
    View output;
    u32 len;
    // Blocks a row.
    u32 chunks;
};
static_assert(sizeof(GatherArguments) == 72, "as in arguments.rs");

KERNEL(gather_images, GatherArguments) {
    const u32 replica = blockIdx.y;
    const u32 row = blockIdx.x / a.chunks;
    const u32 start = (blockIdx.x % a.chunks * blockDim.x + threadIdx.x) * 4;
    if (start >= a.len) {
        return;
    }
    const u64 index = a.chosen.data[replica * a.chosen.replica + row];
    const bool there = index < a.samples;
    const float* images = a.images.data + replica * a.images.replica;
    const float* from = images + (there ? index * a.len : 0);
    float* to = a.output.data + replica * a.output.replica + row * a.output.row;
    const float nan = __int_as_float(0x7FC00000);
    if (there && start + 4 <= a.len && aligned(images, a.len) && aligned(to, 0)) {
        *(float4*)(to + start) = *(const float4*)(from + start);
        return;
    }
    for (u32 at = start; at < a.len && at < start + 4; at++) {
        to[at] = there ? from[at] : nan;
    }
}
