// The threads of a block as fibers: each has a stack of its own and runs until it waits.
//
// SHATTER_EMULATOR_ORDER=reverse, read at every launch, runs them from the last to the first: a
// result that depends on which thread comes first shows as a difference.
#include "host.h"
#include "tensor.h"

#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#if !defined(__x86_64__)
#error "the emulator switches stacks in x86-64 assembly"
#endif

// Leaves the running stack, whose pointer it stores, for another one. The registers that a function
// must preserve lie on the stack that is left.
extern "C" void emulator_switch(void** from, void* to);
asm(R"(
.text
.globl emulator_switch
.type emulator_switch, @function
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");

namespace emulator {

dim3 thread_index, block_index, block_size, grid_size;
Kernel* kernels = nullptr;

Kernel::Kernel(const char* name, size_t arguments, void (*run)(const void*))
    : name(name), arguments(arguments), run(run), next(kernels) {
    kernels = this;
}

namespace {

const size_t STACK = 256 * 1024;
const unsigned WARP = 32;

enum class State { Ready, AtBarrier, AtShuffle, Done };

struct Copy {
    void* to;
    const void* from;
    unsigned bytes, there;
};

struct Fiber {
    void* stack_pointer;
    dim3 index;
    State state;
    // Of a shuffle: who takes part, what is handed in and then what comes out, from which lane.
    unsigned lanes;
    uint64_t bits;
    unsigned other;
    // Copies that are begun and not done, by groups; the last group has not ended.
    std::deque<std::vector<Copy>> copies;
};

std::vector<std::unique_ptr<char[]>> stacks;
std::vector<Fiber> fibers;
size_t running;
bool reversed;
// What a thread did that a device does not let it do.
const char* fault;
void* scheduler;
const Kernel* kernel;
const void* arguments;
std::map<const void*, std::vector<float4>> shared_memory;

void leave() {
    emulator_switch(&fibers[running].stack_pointer, scheduler);
}

void entry() {
    kernel->run(arguments);
    fibers[running].state = State::Done;
    leave();
    abort(); // nobody resumes a fiber that is done
}

void resume(size_t at) {
    running = at;
    thread_index = fibers[at].index;
    emulator_switch(&scheduler, fibers[at].stack_pointer);
}

// A stack on which `emulator_switch` finds six registers and returns into `entry`.
void prepare(size_t at) {
    if (stacks.size() <= at) {
        stacks.emplace_back(new char[STACK]);
    }
    void** top = (void**)(((uintptr_t)stacks[at].get() + STACK) & ~(uintptr_t)15);
    *--top = nullptr; // a call leaves the stack 8 bytes off a multiple of 16
    *--top = (void*)entry;
    for (int i = 0; i < 6; i++) {
        *--top = nullptr;
    }
    const unsigned i = (unsigned)at;
    fibers[at].stack_pointer = top;
    fibers[at].index = {i % block_size.x, i / block_size.x % block_size.y,
                        i / (block_size.x * block_size.y)};
    fibers[at].state = State::Ready;
    fibers[at].copies.assign(1, {});
}

// Completes the shuffles of a warp for which all lanes have come; whether there was one.
bool exchange(size_t first) {
    const size_t end = first + WARP < fibers.size() ? first + WARP : fibers.size();
    for (size_t at = first; at < end; at++) {
        const unsigned lanes = fibers[at].lanes;
        bool complete = fibers[at].state == State::AtShuffle && lanes >> (at - first) & 1;
        for (unsigned lane = 0; complete && lane < WARP; lane++) {
            if (lanes >> lane & 1) {
                const size_t peer = first + lane;
                complete = peer < end && fibers[peer].state == State::AtShuffle &&
                           fibers[peer].lanes == lanes;
            }
        }
        if (complete) {
            uint64_t handed[WARP];
            for (size_t peer = first; peer < end; peer++) {
                handed[peer - first] = fibers[peer].bits;
            }
            for (size_t peer = first; peer < end; peer++) {
                if (lanes >> (peer - first) & 1) {
                    fibers[peer].bits = handed[fibers[peer].other % WARP];
                    fibers[peer].state = State::Ready;
                }
            }
            return true;
        }
    }
    return false;
}

const char* run_block() {
    for (auto& entry : shared_memory) {
        memset(entry.second.data(), 0xFF, entry.second.size() * sizeof(float4));
    }
    const size_t count = fibers.size();
    for (size_t at = 0; at < count; at++) {
        prepare(at);
    }
    for (;;) {
        bool progress = false;
        for (size_t i = 0; i < count; i++) {
            const size_t at = reversed ? count - 1 - i : i;
            if (fibers[at].state == State::Ready) {
                resume(at);
                progress = true;
            }
        }
        for (size_t first = 0; first < count; first += WARP) {
            while (exchange(first)) {
                progress = true;
            }
        }
        size_t done = 0, waiting = 0;
        for (const Fiber& fiber : fibers) {
            done += fiber.state == State::Done;
            waiting += fiber.state == State::AtBarrier;
        }
        if (done == count) {
            return fault;
        }
        if (waiting > 0 && waiting + done == count) {
            for (Fiber& fiber : fibers) {
                fiber.state = fiber.state == State::AtBarrier ? State::Ready : fiber.state;
            }
        } else if (!progress) {
            return "its threads wait for each other at different places";
        }
    }
}

} // namespace

void* shared(const void* site, size_t bytes) {
    std::vector<float4>& memory = shared_memory[site];
    if (memory.empty()) {
        memory.resize((bytes + sizeof(float4) - 1) / sizeof(float4));
        memset(memory.data(), 0xFF, memory.size() * sizeof(float4));
    }
    return memory.data();
}

void barrier() {
    fibers[running].state = State::AtBarrier;
    leave();
}

uint64_t shuffle(unsigned lanes, uint64_t bits, unsigned other) {
    Fiber& fiber = fibers[running];
    fiber.lanes = lanes;
    fiber.bits = bits;
    fiber.other = other;
    fiber.state = State::AtShuffle;
    leave();
    return fiber.bits;
}

void finish(const Copy& copy) {
    memset(copy.to, 0, copy.bytes);
    memcpy(copy.to, copy.from, copy.there);
}

void copy(void* to, const void* from, unsigned bytes, unsigned there) {
    const Copy begun = {to, from, bytes, there};
    if (((uintptr_t)to | (uintptr_t)from) % bytes != 0) {
        fault = "it copies to or from an address that is no multiple of what is copied";
        return;
    }
    if (reversed) {
        finish(begun);
    } else {
        fibers[running].copies.back().push_back(begun);
    }
}

void end_group() {
    fibers[running].copies.emplace_back();
}

void wait(unsigned pending) {
    std::deque<std::vector<Copy>>& copies = fibers[running].copies;
    while (copies.size() > (size_t)pending + 1) {
        for (const Copy& copy : copies.front()) {
            finish(copy);
        }
        copies.pop_front();
    }
}

const char* launch(dim3 grid, dim3 block, const Kernel& which, const void* with) {
    const char* order = getenv("SHATTER_EMULATOR_ORDER");
    fault = nullptr;
    reversed = order && !strcmp(order, "reverse");
    kernel = &which;
    arguments = with;
    grid_size = grid;
    block_size = block;
    shared_memory.clear();
    fibers.assign((size_t)block.x * block.y * block.z, Fiber());
    for (unsigned z = 0; z < grid.z; z++) {
        for (unsigned y = 0; y < grid.y; y++) {
            for (unsigned x = 0; x < grid.x; x++) {
                block_index = {x, y, z};
                if (const char* error = run_block()) {
                    return error;
                }
            }
        }
    }
    return nullptr;
}

} // namespace emulator
