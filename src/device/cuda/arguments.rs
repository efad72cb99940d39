//! Arguments of kernels: the structures of `kernels/*.cu`, field by field. Pointers are addresses
//! in device memory; 0 stands for an array that is not there.

/// Words of the control data of a replica: `Control` in `kernels/device.h`.
pub const CONTROL_WORDS: usize = 8;
/// Indices of the two halves of the seed in it.
pub const SEED_WORD: usize = 4;
/// Words of an outcome in the ring.
pub const OUTCOME_WORDS: usize = 6;
/// Words that a row of a loss leaves for the sum.
pub const ROW_WORDS: usize = 4;
/// Words of 64 bits of a piece of the table of an update.
pub const PIECE_WORDS: usize = 7;

/// Numbers or indices, and how far the next replica's are.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Array {
    pub data: u64,
    pub replica: u64,
}

/// Consecutive numbers of each sample.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct View {
    pub data: u64,
    pub replica: u64,
    pub row: u64,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Control {
    pub control: u64,
    pub replicas: u32,
    pub position: u32,
    pub step: u32,
    pub epoch: u32,
    pub rate: f32,
    pub unused: u32,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Select {
    pub control: u64,
    pub order: Array,
    pub samples: u64,
    pub chosen: Array,
    pub rows: u64,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Gather {
    pub images: Array,
    pub samples: u64,
    pub chosen: Array,
    pub output: View,
    pub len: u32,
    pub chunks: u32,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Elementwise {
    pub from: View,
    pub to: View,
    pub len: u64,
    pub chunks: u32,
    pub accumulate: u32,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Dropout {
    pub control: u64,
    pub input: View,
    pub output: View,
    pub count: u64,
    pub len: u64,
    pub threshold: u64,
    pub kept: f32,
    pub layer: u32,
    pub accumulate: u32,
    pub unused: u32,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Product {
    pub a: View,
    pub b: View,
    pub c: View,
    pub bias: Array,
    pub sums: Array,
    pub partial: Array,
    pub m: u32,
    pub n: u32,
    pub k: u32,
    pub splits: u32,
    pub split_len: u32,
    pub relu: u32,
    pub accumulate: u32,
    pub unused: u32,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Loss {
    pub control: u64,
    pub outputs: View,
    pub gradient: View,
    pub chosen: Array,
    pub changed: Array,
    pub changed_len: u64,
    pub classes: Array,
    pub numbers: Array,
    pub samples: u64,
    pub results: u64,
    pub ring: u64,
    pub capacity: u32,
    pub rows: u32,
    pub len: u32,
    pub squared: u32,
}

#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Update {
    pub control: u64,
    pub pieces: u64,
    pub momentum: f32,
    pub decay: f32,
}

// The sizes that the static assertions of the kernels name.
const _: () = {
    assert!(size_of::<Control>() == 32 && size_of::<Select>() == 56);
    assert!(size_of::<Gather>() == 72 && size_of::<Elementwise>() == 64);
    assert!(size_of::<Dropout>() == 96 && size_of::<Product>() == 152);
    assert!(size_of::<Loss>() == 168 && size_of::<Update>() == 24);
};
