//! The arrays of a plan: one vector of numbers or indices each, replica after replica.
//!
//! An array that an operation writes is taken out of the store meanwhile, so that the operation can read the others.

use std::mem::{size_of, take};
use std::ops::Range;

use crate::DeviceError;
use crate::plan::{Array, ArrayId, ArrayKind, Plan, View};
use shatter_exact::Element;

use super::slab::{Slab, SlabMut};

pub struct Store<E> {
    pub plan: Plan,
    numbers: Vec<Vec<E>>,
    indices: Vec<Vec<u32>>,
}

/// A vector of that many zeros.
pub fn zeros<T: Clone + Default>(name: &str, len: Option<usize>) -> Result<Vec<T>, DeviceError> {
    let bytes = len.unwrap_or(usize::MAX).saturating_mul(size_of::<T>());
    let error = DeviceError::Memory { array: name.to_owned(), bytes: bytes as u64 };
    let mut vector = Vec::new();
    let Some(len) = len else { return Err(error) };
    vector.try_reserve_exact(len).map_err(|_| error)?;
    vector.resize(len, T::default());
    Ok(vector)
}

/// Asks for all arrays at once, so that those which fit one by one but not together are refused
/// before memory runs out under them.
fn all_fit<E>(plan: &Plan) -> Result<(), DeviceError> {
    let bytes = |(at, array): (usize, &Array)| {
        let copies = if array.shared { 1 } else { plan.replicas };
        let size = match array.kind {
            ArrayKind::Indices(_) => size_of::<u32>(),
            _ => size_of::<E>(),
        };
        plan.len(ArrayId(at)).saturating_mul(copies).saturating_mul(size)
    };
    let total = plan.arrays.iter().enumerate().map(bytes).fold(0, usize::saturating_add);
    Vec::<u8>::new().try_reserve_exact(total).map_err(|_| DeviceError::Memory {
        array: "all arrays together".to_owned(),
        bytes: total as u64,
    })
}

impl<E: Element> Store<E> {
    pub fn new(plan: Plan) -> Result<Store<E>, DeviceError> {
        all_fit::<E>(&plan)?;
        let (mut numbers, mut indices) = (Vec::new(), Vec::new());
        for (at, array) in plan.arrays.iter().enumerate() {
            let copies = if array.shared { 1 } else { plan.replicas };
            let len = plan.len(ArrayId(at)).checked_mul(copies);
            let is_indices = matches!(array.kind, ArrayKind::Indices(_));
            numbers.push(zeros(&array.name, if is_indices { Some(0) } else { len })?);
            indices.push(zeros(&array.name, if is_indices { len } else { Some(0) })?);
        }
        Ok(Store { plan, numbers, indices })
    }

    fn range(&self, id: ArrayId, replica: usize) -> Range<usize> {
        let len = self.plan.len(id);
        let start = if self.plan.arrays[id.0].shared { 0 } else { replica * len };
        start..start + len
    }

    /// Channels, and numbers of one sample, of an array of activations.
    fn whole(&self, view: View) -> (usize, usize) {
        match self.plan.arrays[view.array.0].kind {
            ArrayKind::Activation(shape) => (shape.channels, shape.len()),
            _ => (0, 0),
        }
    }

    pub fn kind(&self, id: ArrayId) -> ArrayKind {
        self.plan.arrays[id.0].kind
    }

    pub fn numbers(&self, id: ArrayId, replica: usize) -> &[E] {
        &self.numbers[id.0][self.range(id, replica)]
    }

    pub fn numbers_mut(&mut self, id: ArrayId, replica: usize) -> &mut [E] {
        let range = self.range(id, replica);
        &mut self.numbers[id.0][range]
    }

    pub fn indices(&self, id: ArrayId, replica: usize) -> &[u32] {
        &self.indices[id.0][self.range(id, replica)]
    }

    pub fn indices_mut(&mut self, id: ArrayId, replica: usize) -> &mut [u32] {
        let range = self.range(id, replica);
        &mut self.indices[id.0][range]
    }

    pub fn slab(&self, view: View, rows: usize, replica: usize) -> Slab<'_, E> {
        let (stride, len) = self.whole(view);
        let data = &self.numbers(view.array, replica)[..rows * len];
        Slab { data, stride, first: view.first, shape: view.shape, rows }
    }

    /// Lends one replica of an array for writing, and the other arrays for reading.
    pub fn change<R>(
        &mut self,
        id: ArrayId,
        replica: usize,
        act: impl FnOnce(&mut Self, &mut [E]) -> R,
    ) -> R {
        let mut taken = take(&mut self.numbers[id.0]);
        let range = self.range(id, replica);
        let result = act(self, &mut taken[range]);
        self.numbers[id.0] = taken;
        result
    }

    /// As [`Store::change`], two arrays.
    pub fn change_two<R>(
        &mut self,
        [first, second]: [ArrayId; 2],
        replica: usize,
        act: impl FnOnce(&mut Self, (&mut [E], &mut [E])) -> R,
    ) -> R {
        self.change(first, replica, |store, first| {
            store.change(second, replica, |store, second| act(store, (first, second)))
        })
    }

    /// As [`Store::change`], indices.
    pub fn change_indices<R>(
        &mut self,
        id: ArrayId,
        replica: usize,
        act: impl FnOnce(&mut Self, &mut [u32]) -> R,
    ) -> R {
        let mut taken = take(&mut self.indices[id.0]);
        let range = self.range(id, replica);
        let result = act(self, &mut taken[range]);
        self.indices[id.0] = taken;
        result
    }

    /// As [`Store::change`], some channels of the first `rows` samples.
    pub fn change_view<R>(
        &mut self,
        view: View,
        rows: usize,
        replica: usize,
        act: impl FnOnce(&mut Self, SlabMut<E>) -> R,
    ) -> R {
        let (stride, len) = self.whole(view);
        self.change(view.array, replica, |store, data| {
            let data = &mut data[..rows * len];
            act(store, SlabMut { data, stride, first: view.first, shape: view.shape, rows })
        })
    }
}
