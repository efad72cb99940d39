//! Fewer weights than points: labels are stored in the bits of integers, and taken out one by one.
//!
//! **Statement.** Let the n distinct points of R^d have projections that are integers key_i of B bits
//! after a shift and a scaling, and C classes as labels, c = max(1, ⌈log2 C⌉) bits each; T = B + c. Cut
//! the sorted points into G = ⌈n/s⌉ groups of s. A ReLU network of depth 2 + (G − 1) + s(T + 2) and
//! width 6 with 1 + 4(G − 1) + s(6T + 10) units outputs the number of each point's class. With
//! s near √(8n/(17T)) it has about 23.3 √(nT) weights and biases that are not 0: for n > 136 T, fewer
//! than the 2n + d of Theorem 1, and for larger n fewer than n.
//!
//! **Source.** A simplified exact form of Vardi, Yehudai and Shamir 2022, Theorem 3.1 (before it Park,
//! Lee, Yun and Shin 2021), on integer keys.
//!
//! **Construction.** Group g is one integer V_g of sT bits: s blocks of a key and its label, the first
//! block highest, the last group filled up with its last key and label 0. On integers, ReLU(x + 1) −
//! ReLU(x) is 1 if x >= 0 and 0 if x < 0. What is carried is never negative, so ReLU passes it.
//!
//! 1. *Project*: z = ReLU of the key of x.
//! 2. *Locate*: a layer of 4 for each group after the first, with first key f_g: z, S, and the step
//!    ReLU(z − f_g + 1) − ReLU(z − f_g); then S <- S + (V_g − V_{g−1}) · step, from S = V_1 on.
//! 3. *Decode* V = S, block by block. A layer of 6 for each bit, highest first, of weight w: z, V, out,
//!    acc, and the bit ReLU(V − w + 1) − ReLU(V − w); then V <- V − w · bit, and the bit is added to acc
//!    in its place. After the B bits of a key, a layer of 6 compares: with D = z − acc,
//!    E = ReLU(D + 1) − 2 ReLU(D) + ReLU(D − 1) is 1 if D = 0 and else 0; acc restarts at 2^c E. After
//!    the c bits of the label, a layer of 4 adds ReLU(acc − 2^c) to out: the label if E = 1, else 0.
//!
//! A point of the coordinates' grid whose key is at least 0 and none of the sample's gets output 0.
//!
//! **Counts.** Depth and units as stated, width exactly 6; at most 8G + 16sT + 14s + d − 4 weights and
//! biases that are not 0 (G >= 2; 16sT + 14s + d − 2 if G = 1): 8 a locating layer, 16 a bit, and
//! 14 more a block. d + 2G numbers are chosen: the direction, the shift, every V_g, every f_g but one.
//! **Bits.** The widest number is 2^(sT − 1), of sT + 2 bits with its denominator and sign; all of
//! them take about 4(sT)² + 2GsT, which is limited to 2^33: so sT is below 46,341. Coordinates of
//! binary64 with exponents far apart have B up to 2100. **Cost.** O(nd + n log n) and the bits.

use shatter_exact::{IBig, Rational, bit_length};
use shatter_network::{Layered, Network, Unit};
use shatter_sample::target::class_bits;

use super::ConstructError;
use super::construction::{Assumption, Bound, Construction, Promise, Task};
use super::line::{Keys, Line};

/// Bits that all weights and biases may take together: 1 GiB.
const MOST_BITS: u64 = 1 << 33;

/// The construction for a number of groups.
///
/// ```
/// use shatter_construct::{Construction, Task, bit_extraction::BitExtraction};
/// use shatter_sample::{Labels, Points, Values};
/// let points = Points::new(Values::I64((0..16384).collect()), vec![1])?;
/// let labels = Labels::classes((0..16384).map(|i: u32| i.count_ones() % 2).collect(), 2)?;
/// let network = BitExtraction::default().build(&Task::new(&points, &labels, 1))?;
/// assert!(network.sizes().nonzero < 16384);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct BitExtraction {
    /// The number of groups asked for; s = ⌈n/groups⌉ points go to each, so that there may be fewer.
    /// With `None`, s is √(8n/(17T)) rounded, at least 1.
    pub groups: Option<usize>,
}

/// Everything that is known before the network is written.
struct Plan {
    keys: Keys,
    /// Classes, in the order of the keys.
    classes: Vec<u32>,
    /// Points a group, s.
    size: usize,
    /// Bits of a key, B.
    key_bits: usize,
    /// Bits of a label, c.
    label_bits: usize,
    promise: Promise,
}

impl BitExtraction {
    fn plan(&self, task: &Task) -> Result<Plan, ConstructError> {
        let (of, count) = task.classes()?;
        let line = Line::of(task)?;
        let keys = line.keys(task);
        let (n, d) = (task.points.n(), task.points.d() as u64);
        let key_bits = keys.keys.last().map_or(0, bit_length).max(1);
        let label_bits = u64::from(class_bits(count));
        let block = key_bits + label_bits; // T
        let size = match self.groups {
            // ⌊√r + 1/2⌋ = ⌊(⌊√(4r)⌋ + 1)/2⌋
            None => (32 * n as u64 / (17 * block)).isqrt().div_ceil(2).max(1),
            Some(0) => {
                let parameter = "the number of groups";
                return Err(ConstructError::Zero { construction: self.name(), parameter });
            }
            Some(groups) => n.div_ceil(groups) as u64,
        };
        let groups = (n as u64).div_ceil(size);
        let stored = size * block; // sT
        let nonzero = (16 * stored + 14 * size + d + 8 * groups) - if groups > 1 { 4 } else { 10 };
        task.room_for(&self.name(), nonzero)?;
        let bits = stored * (4 * stored + 4 * size + 2 * block + 6)
            + 2 * groups * (stored + block)
            + 3 * nonzero;
        if bits > MOST_BITS {
            return Err(ConstructError::TooLarge {
                construction: self.name(),
                n,
                why: format!(
                    "keys of {key_bits} bits in groups of {size} make integers of {stored} bits, \
                     {bits} in all, and the limit is {MOST_BITS}"
                ),
            });
        }
        let promise = Promise {
            depth: Bound::Exactly(2 + (groups - 1) + size * (block + 2)),
            units: Bound::Exactly(1 + 4 * (groups - 1) + size * (6 * block + 10)),
            width: Bound::Exactly(6),
            nonzero: Bound::AtMost(nonzero),
            free: d + 2 * groups,
        };
        Ok(Plan {
            keys,
            classes: line.order.iter().map(|&i| of[i as usize]).collect(),
            size: size as usize,
            key_bits: key_bits as usize,
            label_bits: label_bits as usize,
            promise,
        })
    }
}

impl Construction for BitExtraction {
    fn name(&self) -> String {
        "bit-extraction".to_owned()
    }

    fn source(&self) -> &'static str {
        "after Vardi, Yehudai and Shamir 2022, our variant"
    }

    fn statement(&self) -> &'static str {
        "width 6 and about 23.3 √(nT) weights tell the classes of n points apart whose keys and labels have T bits"
    }

    fn assumptions(&self) -> &'static [Assumption] {
        &[Assumption::Classes, Assumption::NarrowProjections]
    }

    fn promise(&self, task: &Task) -> Result<Promise, ConstructError> {
        Ok(self.plan(task)?.promise)
    }

    fn build(&self, task: &Task) -> Result<Network, ConstructError> {
        let plan = self.plan(task)?;
        let weights = plan.keys.weights.iter().cloned().enumerate();
        let mut hidden = vec![vec![Unit::relu(weights, plan.keys.bias.clone())]];
        let value = locate(&plan, &mut hidden);
        let place = plan.size * (plan.key_bits + plan.label_bits);
        let (out, acc) = (Affine::default(), Affine::default());
        let mut decoder = Decoder { hidden, value, out, acc, place };
        for _ in 0..plan.size {
            decoder.acc = Affine::default();
            (0..plan.key_bits).rev().for_each(|place| decoder.bit(place));
            decoder.compare(plan.label_bits);
            (0..plan.label_bits).rev().for_each(|place| decoder.bit(place));
            decoder.gate(plan.label_bits);
        }
        let output = vec![decoder.out.unit(Unit::affine, IBig::ZERO)];
        Ok(Network::Layered(Layered { inputs: task.points.d(), hidden: decoder.hidden, output }))
    }
}

/// The layers that lead from z to the integer of z's group.
fn locate(plan: &Plan, hidden: &mut Vec<Vec<Unit>>) -> Affine {
    let (size, block) = (plan.size, plan.key_bits + plan.label_bits);
    let groups = plan.keys.keys.chunks(size).zip(plan.classes.chunks(size));
    let mut before = IBig::ZERO;
    let mut sum = Affine::default();
    for (g, (keys, classes)) in groups.enumerate() {
        let fill = std::iter::repeat_n((&keys[keys.len() - 1], &0), size - keys.len());
        let integer =
            keys.iter().zip(classes).chain(fill).fold(IBig::ZERO, |bits, (key, class)| {
                (bits << block) + (key << plan.label_bits) + IBig::from(*class)
            });
        if g == 0 {
            sum.bias = integer.clone();
        } else {
            let z = Affine::copy(0);
            hidden.push(vec![
                z.relu(IBig::ZERO),
                sum.relu(IBig::ZERO),
                z.relu(IBig::ONE - &keys[0]),
                z.relu(-&keys[0]),
            ]);
            let jump = &integer - before;
            sum = Affine::of([(1, IBig::ONE), (2, jump.clone()), (3, -jump)]);
        }
        before = integer;
    }
    sum
}

/// An affine function, with integer weights, of the units of the last layer.
#[derive(Clone, Default)]
struct Affine {
    weights: Vec<(usize, IBig)>,
    bias: IBig,
}

impl Affine {
    fn of<const N: usize>(weights: [(usize, IBig); N]) -> Affine {
        Affine { weights: weights.to_vec(), bias: IBig::ZERO }
    }

    fn copy(from: usize) -> Affine {
        Affine::of([(from, IBig::ONE)])
    }

    /// A unit of this function plus `shift`.
    fn unit(&self, kind: fn(Vec<(usize, Rational)>, Rational) -> Unit, shift: IBig) -> Unit {
        let weights = self.weights.iter().map(|(from, w)| (*from, Rational::from(w.clone())));
        kind(weights.collect(), Rational::from(&self.bias + shift))
    }

    fn relu(&self, shift: IBig) -> Unit {
        self.unit(Unit::relu, shift)
    }
}

/// What the layers carry beside z, which is always unit 0: how to read it from the last of them.
struct Decoder {
    hidden: Vec<Vec<Unit>>,
    /// The bits that are still to be taken out.
    value: Affine,
    /// The sum of the labels of matching keys.
    out: Affine,
    /// The key or label that is being put together.
    acc: Affine,
    /// How many bits are still to be taken out.
    place: usize,
}

impl Decoder {
    /// Writes a layer that carries z, the value, out, and then `rest`.
    fn push(&mut self, rest: impl IntoIterator<Item = Unit>) {
        let carried = [&Affine::copy(0), &self.value, &self.out].map(|sum| sum.relu(IBig::ZERO));
        self.hidden.push(carried.into_iter().chain(rest).collect());
        self.value = Affine::copy(1);
        self.out = Affine::copy(2);
    }

    /// Takes the highest bit out of the value and adds 2^`place` times it to acc.
    fn bit(&mut self, place: usize) {
        self.place -= 1;
        let weight = IBig::ONE << self.place;
        let acc = self.acc.relu(IBig::ZERO);
        let reached = self.value.relu(IBig::ONE - &weight);
        let passed = self.value.relu(-&weight);
        self.push([acc, reached, passed]);
        self.value = Affine::of([(1, IBig::ONE), (4, -&weight), (5, weight)]);
        let added = IBig::ONE << place;
        self.acc = Affine::of([(3, IBig::ONE), (4, added.clone()), (5, -added)]);
    }

    /// Replaces acc by 2^`label_bits` if it equals z, else by 0.
    fn compare(&mut self, label_bits: usize) {
        let acc = self.acc.weights.iter().map(|(from, w)| (*from, -w));
        let difference =
            Affine { weights: [(0, IBig::ONE)].into_iter().chain(acc).collect(), bias: IBig::ZERO };
        self.push([IBig::ONE, IBig::ZERO, IBig::NEG_ONE].map(|shift| difference.relu(shift)));
        let match_weight = IBig::ONE << label_bits;
        self.acc =
            Affine::of([(3, match_weight.clone()), (4, -(&match_weight << 1)), (5, match_weight)]);
    }

    /// Adds the label to out if the key matched.
    fn gate(&mut self, label_bits: usize) {
        let gate = self.acc.relu(-(IBig::ONE << label_bits));
        self.push([gate]);
        self.out = Affine::of([(2, IBig::ONE), (3, IBig::ONE)]);
    }
}
