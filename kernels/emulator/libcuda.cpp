// A stand-in for libcuda.so.1 that runs our kernels on the processor: so much of the driver as
// src/device/cuda uses. It is stricter than a driver: copies must lie within one allocation, the
// bytes around allocations are watched, fresh memory is full of not-a-number, and a kernel is found
// only if the PTX of the module has it, too.
//
// SHATTER_EMULATOR_DEVICES, SHATTER_EMULATOR_DRIVER and SHATTER_EMULATOR_CAPABILITY pretend another
// number of devices (1), version of the driver (13000) and compute capability (80).
#include "host.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace {

enum Status {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_PTX = 218,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    ILLEGAL_ADDRESS = 700,
    LAUNCH_FAILED = 719,
};

typedef unsigned long long Pointer;

const size_t GUARD = 256, GRID = 65535, MEMORY = (size_t)1 << 32;
const unsigned char WATCHED = 0xA5, FRESH = 0xFF;

struct Launch {
    const emulator::Kernel* kernel;
    dim3 grid, block;
    std::vector<char> arguments;
};

struct Graph {
    std::vector<Launch> launches;
};

struct Stream {
    Graph* capture = nullptr;
};

struct Module {
    std::string ptx;
};

std::recursive_mutex mutex;
typedef std::lock_guard<std::recursive_mutex> Lock;
std::map<Pointer, size_t> allocations;
size_t allocated = 0;

int setting(const char* name, int otherwise) {
    const char* text = getenv(name);
    return text ? atoi(text) : otherwise;
}

bool watched(Pointer start) {
    for (size_t i = 0; i < GUARD; i++) {
        if (((const unsigned char*)start)[i] != WATCHED) {
            return false;
        }
    }
    return true;
}

// Whether nobody wrote around an allocation.
bool intact(Pointer start, size_t bytes) {
    return watched(start - GUARD) && watched(start + bytes);
}

bool inside(Pointer start, size_t bytes) {
    auto after = allocations.upper_bound(start);
    if (after == allocations.begin()) {
        return false;
    }
    --after;
    return start - after->first <= after->second && bytes <= after->second - (start - after->first);
}

int run(const Launch& launch) {
    const char* error =
        emulator::launch(launch.grid, launch.block, *launch.kernel, launch.arguments.data());
    if (error) {
        fprintf(stderr, "emulator: %s: %s\n", launch.kernel->name, error);
        return LAUNCH_FAILED;
    }
    for (const auto& allocation : allocations) {
        if (!intact(allocation.first, allocation.second)) {
            fprintf(stderr, "emulator: %s wrote beside an array\n", launch.kernel->name);
            return ILLEGAL_ADDRESS;
        }
    }
    return SUCCESS;
}

int copy(void* to, const void* from, size_t bytes, bool known) {
    if (!known) {
        return INVALID_VALUE;
    }
    memmove(to, from, bytes);
    return SUCCESS;
}

} // namespace

extern "C" {

int cuInit(unsigned) {
    return SUCCESS;
}

int cuDriverGetVersion(int* version) {
    *version = setting("SHATTER_EMULATOR_DRIVER", 13000);
    return SUCCESS;
}

int cuDeviceGetCount(int* count) {
    *count = setting("SHATTER_EMULATOR_DEVICES", 1);
    return SUCCESS;
}

int cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    const int count = setting("SHATTER_EMULATOR_DEVICES", 1);
    return ordinal >= 0 && ordinal < count ? SUCCESS : INVALID_DEVICE;
}

int cuDeviceGetName(char* name, int len, int) {
    snprintf(name, (size_t)len, "CUDA on a processor");
    return SUCCESS;
}

int cuDeviceGetAttribute(int* value, int attribute, int) {
    const int MAJOR = 75, MINOR = 76;
    const int capability = setting("SHATTER_EMULATOR_CAPABILITY", 80);
    *value = attribute == MAJOR ? capability / 10 : attribute == MINOR ? capability % 10 : 0;
    return SUCCESS;
}

int cuDeviceTotalMem_v2(size_t* bytes, int) {
    *bytes = MEMORY;
    return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void** context, int) {
    *context = &allocations;
    return SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int) {
    return SUCCESS;
}

int cuCtxSetCurrent(void*) {
    return SUCCESS;
}

int cuModuleLoadDataEx(void** module, const void* image, unsigned, int*, void**) {
    const char* text = (const char*)image;
    if (!strstr(text, ".version ")) {
        return INVALID_PTX;
    }
    *module = new Module{text};
    return SUCCESS;
}

int cuModuleLoadData(void** module, const void* image) {
    return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

int cuModuleUnload(void* module) {
    delete (Module*)module;
    return SUCCESS;
}

int cuModuleGetFunction(void** function, void* module, const char* name) {
    const std::string entry = std::string(".entry ") + name + "(";
    for (emulator::Kernel* kernel = emulator::kernels; kernel; kernel = kernel->next) {
        if (!strcmp(kernel->name, name) && ((Module*)module)->ptx.find(entry) != std::string::npos) {
            *function = kernel;
            return SUCCESS;
        }
    }
    return NOT_FOUND;
}

int cuStreamCreateWithPriority(void** stream, unsigned, int) {
    *stream = new Stream;
    return SUCCESS;
}

int cuStreamDestroy_v2(void* stream) {
    delete (Stream*)stream;
    return SUCCESS;
}

int cuStreamSynchronize(void*) {
    return SUCCESS;
}

int cuMemAlloc_v2(Pointer* start, size_t bytes) {
    Lock lock(mutex);
    if (bytes == 0) {
        return INVALID_VALUE;
    }
    if (bytes > MEMORY - allocated) {
        return OUT_OF_MEMORY;
    }
    const size_t all = (bytes + 2 * GUARD + 255) & ~(size_t)255;
    char* memory = (char*)aligned_alloc(256, all);
    if (!memory) {
        return OUT_OF_MEMORY;
    }
    memset(memory, WATCHED, all);
    memset(memory + GUARD, FRESH, bytes);
    *start = (Pointer)(memory + GUARD);
    allocations[*start] = bytes;
    allocated += bytes;
    return SUCCESS;
}

int cuMemFree_v2(Pointer start) {
    Lock lock(mutex);
    auto found = allocations.find(start);
    if (found == allocations.end()) {
        return INVALID_VALUE;
    }
    const bool good = intact(start, found->second);
    allocated -= found->second;
    allocations.erase(found);
    free((void*)(start - GUARD));
    return good ? SUCCESS : ILLEGAL_ADDRESS;
}

int cuMemcpyHtoD_v2(Pointer to, const void* from, size_t bytes) {
    Lock lock(mutex);
    return copy((void*)to, from, bytes, inside(to, bytes));
}

int cuMemcpyDtoH_v2(void* to, Pointer from, size_t bytes) {
    Lock lock(mutex);
    return copy(to, (const void*)from, bytes, inside(from, bytes));
}

int cuMemsetD8_v2(Pointer to, unsigned char value, size_t bytes) {
    Lock lock(mutex);
    if (!inside(to, bytes)) {
        return INVALID_VALUE;
    }
    memset((void*)to, value, bytes);
    return SUCCESS;
}

int cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned, void* stream, void** arguments,
                   void**) {
    Lock lock(mutex);
    const emulator::Kernel* kernel = (const emulator::Kernel*)function;
    const size_t threads = (size_t)block_x * block_y * block_z;
    const bool empty = x == 0 || y == 0 || z == 0 || threads == 0;
    if (!kernel || empty || threads > 1024 || x > 0x7FFFFFFF || y > GRID || z > GRID) {
        return INVALID_VALUE;
    }
    const char* given = (const char*)arguments[0];
    Launch launch{kernel, {x, y, z}, {block_x, block_y, block_z},
                  std::vector<char>(given, given + kernel->arguments)};
    Stream* of = (Stream*)stream;
    if (of && of->capture) {
        of->capture->launches.push_back(launch);
        return SUCCESS;
    }
    return run(launch);
}

int cuStreamBeginCapture_v2(void* stream, int) {
    ((Stream*)stream)->capture = new Graph;
    return SUCCESS;
}

int cuStreamEndCapture(void* stream, void** graph) {
    Stream* of = (Stream*)stream;
    *graph = of->capture;
    const bool capturing = of->capture;
    of->capture = nullptr;
    return capturing ? SUCCESS : INVALID_HANDLE;
}

int cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
    *executable = new Graph(*(Graph*)graph);
    return SUCCESS;
}

int cuGraphLaunch(void* executable, void*) {
    Lock lock(mutex);
    for (const Launch& launch : ((Graph*)executable)->launches) {
        if (int status = run(launch)) {
            return status;
        }
    }
    return SUCCESS;
}

int cuGraphDestroy(void* graph) {
    delete (Graph*)graph;
    return SUCCESS;
}

int cuGraphExecDestroy(void* executable) {
    delete (Graph*)executable;
    return SUCCESS;
}

int cuGetErrorString(int, const char** text) {
    *text = "error of the emulator";
    return SUCCESS;
}

int cuGetErrorName(int, const char** text) {
    *text = "CUDA_ERROR";
    return SUCCESS;
}
}
