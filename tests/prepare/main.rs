//! Promise: the six conditions, preprocessing and augmentation are what their descriptions say,
//! compared with oracles that are written straight from them; and pure functions of the sample and
//! the seed, whatever the number of threads.

use std::collections::BTreeSet;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use shatter_prepare::{Augmentation, Condition, Draw, Prepared, Preprocess, prepare};
use shatter_random::stream::{Purpose, below, permutation, stream, stream_at};
use shatter_sample::{
    Base, LabelRule, Labels, Points, RawSample, Recipe, SampleError, Scale, Shape, Values,
};

const SEED: u64 = 11;
const PLAIN: Preprocess = Preprocess { scale: true, crop: None, whiten: false };
const PIXELS: [Condition; 3] =
    [Condition::ShuffledPixels, Condition::RandomPixels, Condition::Gaussian];
/// One pixel wide or high, odd and even, one channel or several.
const SHAPES: [[usize; 3]; 6] =
    [[1, 4, 4], [3, 5, 7], [2, 1, 9], [1, 9, 1], [4, 6, 3], [3, 32, 32]];

fn sample(values: Values, shape: &[usize], classes: u32) -> RawSample {
    let points = Points::new(values, shape.to_vec()).unwrap();
    let of = (0..points.n() as u32).map(|i| i % classes).collect();
    let labels = Labels::classes(of, classes).unwrap();
    RawSample { text: "made".into(), points, labels }
}

/// Images of random bytes.
fn bytes(n: usize, shape: &[usize], seed: u64) -> RawSample {
    let mut rng = stream(seed, Purpose::Points);
    let len = n * shape.iter().product::<usize>();
    sample(Values::U8((0..len).map(|_| below(&mut rng, 256) as u8).collect()), shape, 10)
}

fn shape_of(sides: &[usize]) -> Shape {
    Shape::from_shape(sides).unwrap()
}

fn both(
    train: &RawSample,
    test: &RawSample,
    condition: Condition,
    preprocess: &Preprocess,
) -> (Prepared<f64>, Prepared<f64>) {
    let (train, test) = prepare(train, Some(test), condition, preprocess, SEED, false).unwrap();
    (train, test.unwrap())
}

/// One image cropped, as `[channel][position]`, divided by 255.
fn cropped(raw: &RawSample, i: usize, side: Option<usize>) -> Vec<Vec<f64>> {
    let s = shape_of(raw.points.shape());
    let (h, w) = side.map_or((s.height, s.width), |side| (side, side));
    let (top, left) = ((s.height - h) / 2, (s.width - w) / 2);
    let value = |c: usize, p: usize| {
        let (y, x) = (top + p / w, left + p % w);
        raw.points.f64_at(i, c * s.height * s.width + y * s.width + x) / 255.0
    };
    (0..s.channels).map(|c| (0..h * w).map(|p| value(c, p)).collect()).collect()
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt())
}

fn whitened(values: &[f64]) -> Vec<f64> {
    let (mean, deviation) = mean_and_deviation(values);
    let divisor = deviation.max(1.0 / (values.len() as f64).sqrt());
    values.iter().map(|x| (x - mean) / divisor).collect()
}

/// What image `i` of `raw`, number `number` of all, must become.
fn oracle(
    train: &RawSample,
    (raw, i, number): (&RawSample, usize, u32),
    condition: Condition,
    preprocess: &Preprocess,
) -> Vec<f64> {
    let own = cropped(raw, i, preprocess.crop);
    let positions = own[0].len();
    let reordered = |mut rng| {
        let order = permutation(&mut rng, positions as u32);
        own.iter().map(|plane| order.iter().map(|&p| plane[p as usize]).collect()).collect()
    };
    let image: Vec<Vec<f64>> = match condition {
        Condition::ShuffledPixels => reordered(stream(SEED, Purpose::Pixels)),
        Condition::RandomPixels => reordered(stream_at(SEED, Purpose::Pixels, number)),
        Condition::Gaussian => {
            let mut rng = stream_at(SEED, Purpose::Noise, number);
            let images: Vec<_> =
                (0..train.points.n()).map(|j| cropped(train, j, preprocess.crop)).collect();
            let mut plane = |c: usize| {
                let all: Vec<f64> = images.iter().flat_map(|image| image[c].clone()).collect();
                let (mean, deviation) = mean_and_deviation(&all);
                let mut draw = || -> f64 { StandardNormal.sample(&mut rng) };
                (0..positions).map(|_| mean + deviation * draw()).collect()
            };
            (0..own.len()).map(&mut plane).collect()
        }
        _ => own,
    };
    let flat = image.concat();
    if preprocess.whiten { whitened(&flat) } else { flat }
}

fn close(found: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (k, (a, b)) in found.iter().zip(wanted).enumerate() {
        assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{what}, value {k}: {a} and not {b}");
    }
}

#[test]
fn every_step_equals_its_oracle() {
    let conditions = [PIXELS.as_slice(), &[Condition::Labels(LabelRule::True)]].concat();
    for sides in SHAPES {
        let (train, test) = (bytes(7, &sides, 1), bytes(4, &sides, 2));
        let least = sides[1].min(sides[2]);
        for crop in [None, Some(1 + least / 2), Some(least)] {
            let shape = crop.map_or(shape_of(&sides), |side| shape_of(&[sides[0], side, side]));
            for &condition in &conditions {
                if condition != Condition::Labels(LabelRule::True) && !shape.is_image() {
                    continue;
                }
                for whiten in [false, true] {
                    let preprocess = Preprocess { scale: true, crop, whiten };
                    let what = format!("{condition} of {sides:?} with {preprocess:?}");
                    let (a, b) = both(&train, &test, condition, &preprocess);
                    assert_eq!((a.shape, b.shape), (shape, shape), "{what}");
                    let found = a.values.chunks(shape.len()).chain(b.values.chunks(shape.len()));
                    let images = (0..7).map(|i| (&train, i)).chain((0..4).map(|i| (&test, i)));
                    let mut seen = 0;
                    for (number, (found, (raw, i))) in found.zip(images).enumerate() {
                        let image = (raw, i, number as u32);
                        close(found, &oracle(&train, image, condition, &preprocess), &what);
                        seen += 1;
                    }
                    assert_eq!(seen, 11);
                    // Conditions on pixels keep the true labels.
                    assert_eq!((&a.labels, &b.labels), (&train.labels, &test.labels));
                    assert!(a.changed.iter().chain(&b.changed).all(|&changed| !changed));
                }
            }
        }
    }
}

#[test]
fn whitened_images_have_mean_0_and_deviation_1() {
    let preprocess = Preprocess::paper(shape_of(&[3, 32, 32]));
    let train = bytes(20, &[3, 32, 32], 3);
    for condition in [PIXELS.as_slice(), &[Condition::Labels(LabelRule::True)]].concat() {
        let (a, b) = both(&train, &bytes(5, &[3, 32, 32], 4), condition, &preprocess);
        assert_eq!(a.shape, shape_of(&[3, 28, 28]));
        for image in a.values.chunks(2352).chain(b.values.chunks(2352)) {
            let (mean, deviation) = mean_and_deviation(image);
            assert!(mean.abs() < 1e-12 && (deviation - 1.0).abs() < 1e-12, "{mean} {deviation}");
        }
    }
    // In single precision the image is that of double precision, rounded.
    let double =
        prepare::<f64>(&train, None, Condition::Labels(LabelRule::True), &preprocess, SEED, false)
            .unwrap()
            .0;
    let single =
        prepare::<f32>(&train, None, Condition::Labels(LabelRule::True), &preprocess, SEED, false)
            .unwrap()
            .0;
    let rounded: Vec<f32> = double.values.iter().map(|&x| x as f32).collect();
    assert_eq!(*single.values, rounded);
}

/// What was read with `scale=10^k` is trained on as the decimals that stood there.
#[test]
fn integers_that_stand_for_decimals_become_those_again() {
    let scale = Scale { base: Base::Ten, exponent: 2 };
    let raw = sample(Values::Scaled { values: vec![10, -1325, 7, 0], scale }, &[2], 2);
    for scale in [true, false] {
        let preprocess = Preprocess { scale, ..PLAIN };
        let prepared = both(&raw, &raw, Condition::Labels(LabelRule::True), &preprocess).0;
        assert_eq!(*prepared.values, [0.1, -13.25, 0.07, 0.0]);
    }
}

/// 0.1 and 200/255 are no binary fractions: sums of them round, and a mean would miss them.
#[test]
fn constant_images_become_zero() {
    let white = Preprocess { whiten: true, ..PLAIN };
    let constant = [sample(Values::U8(vec![200; 3 * 49]), &[7, 7], 2), {
        sample(Values::F64(vec![0.1; 3 * 49]), &[7, 7], 2)
    }];
    for raw in &constant {
        for condition in [PIXELS.as_slice(), &[Condition::Labels(LabelRule::True)]].concat() {
            let (a, b) = both(raw, raw, condition, &white);
            assert!(a.values.iter().chain(b.values.iter()).all(|&x| x == 0.0), "{condition}");
        }
        let mut output = [1.0; 49];
        let source = both(raw, raw, Condition::Labels(LabelRule::True), &PLAIN).0.values;
        let draw = Draw { dy: 0, dx: 0, flip: true, angle: 17.0 };
        draw.apply(&source[..49], shape_of(&[7, 7]), &mut output, shape_of(&[7, 7]), true);
        assert_eq!(output, [0.0; 49]);
    }
    // Almost constant: the floor 1/√N divides, not the deviation.
    let mut values = vec![10; 16];
    values[3] = 11;
    let raw = sample(Values::U8(values), &[4, 4], 1);
    let (a, _) =
        prepare::<f64>(&raw, None, Condition::Labels(LabelRule::True), &white, SEED, false)
            .unwrap();
    assert!((a.values[3] - a.values[0] - 4.0 / 255.0).abs() < 1e-15);
}

/// Every value of an image names its position and channel, so a permutation can be read off.
#[test]
fn pixels_move_as_permutations() {
    let (h, w, c) = (5, 8, 3);
    let len = h * w * c;
    let naming = |n: usize| {
        sample(Values::U8((0..n * len).map(|k| (k % len) as u8).collect()), &[c, h, w], 10)
    };
    let raw = Preprocess { scale: false, ..PLAIN };
    let orders = |condition| {
        let (a, b) = both(&naming(6), &naming(3), condition, &raw);
        let mut orders = Vec::new();
        for image in a.values.chunks(len).chain(b.values.chunks(len)) {
            let order: Vec<usize> = image[..h * w].iter().map(|&x| x as usize).collect();
            for (channel, plane) in image.chunks(h * w).enumerate() {
                let same: Vec<usize> =
                    plane.iter().map(|&x| x as usize - channel * h * w).collect();
                assert_eq!(same, order, "channels stay together");
            }
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..h * w), "a permutation");
            orders.push(order);
        }
        orders
    };
    let shuffled = orders(Condition::ShuffledPixels);
    assert!(shuffled.iter().all(|order| *order == shuffled[0]), "one for train and test");
    assert!(!shuffled[0].iter().copied().eq(0..h * w));
    let each: BTreeSet<Vec<usize>> = orders(Condition::RandomPixels).into_iter().collect();
    assert_eq!(each.len(), 9, "one for each image");
}

#[test]
fn gaussian_images_have_the_moments_of_their_channels() {
    // Channel 0 is dark and flat, channel 1 bright and spread.
    let image = |i: usize| {
        (0..128).map(move |k| if k < 64 { 20 + (i + k) % 3 } else { (i * 37 + k * 101) % 256 })
    };
    let values = (0..100).flat_map(image).map(|x| x as u8).collect();
    let raw = sample(Values::U8(values), &[2, 8, 8], 10);
    let plane = |prepared: &Prepared<f64>, c: usize| -> Vec<f64> {
        prepared.values.chunks(64).skip(c).step_by(2).flatten().copied().collect()
    };
    let (own, _) = both(&raw, &raw, Condition::Labels(LabelRule::True), &PLAIN);
    let (train, test) = both(&raw, &raw, Condition::Gaussian, &PLAIN);
    assert_ne!(train.values, test.values, "test images have streams of their own");
    for c in 0..2 {
        let (mean, deviation) = mean_and_deviation(&plane(&own, c));
        for drawn in [&train, &test] {
            let (m, d) = mean_and_deviation(&plane(drawn, c));
            // 6400 numbers: five standard errors.
            assert!((m - mean).abs() < 5.0 * deviation / 80.0, "{m} {mean}");
            assert!((d / deviation - 1.0).abs() < 5.0 / (2.0 * 6400f64).sqrt(), "{d} {deviation}");
        }
    }
}

#[test]
fn labels_are_redrawn_as_the_recipe_does() {
    let (train, test) = (bytes(4000, &[1, 2], 5), bytes(3000, &[1, 2], 6));
    let run = |condition, randomize_test| {
        let (a, b) =
            prepare::<f32>(&train, Some(&test), condition, &PLAIN, SEED, randomize_test).unwrap();
        (a, b.unwrap())
    };
    let classes = |prepared: &Prepared<f32>| match &prepared.labels {
        Labels::Classes { of, .. } => of.clone(),
        Labels::Real { .. } => unreachable!("classes stay classes"),
    };
    let own = run(Condition::Labels(LabelRule::True), true).0;
    let mut before: Option<Prepared<f32>> = None;
    for (condition, p) in [
        (Condition::Labels(LabelRule::Corrupted(0.0)), 0.0),
        (Condition::Labels(LabelRule::Corrupted(0.3)), 0.3),
        (Condition::Labels(LabelRule::Corrupted(0.7)), 0.7),
        (Condition::Labels(LabelRule::Corrupted(1.0)), 1.0),
        (Condition::Labels(LabelRule::Random), 1.0),
    ] {
        let (now, clean) = run(condition, false);
        assert_eq!(clean.labels, test.labels);
        assert!(clean.changed.iter().all(|&changed| !changed));
        let recipe = Recipe::new(condition.label_rule(), &train.labels, SEED).unwrap();
        assert_eq!(now.labels, recipe.apply(&train.labels), "the labels of `fit`");
        assert_eq!(now.values, own.values, "pixels stay");
        let changed = now.changed.iter().filter(|&&changed| changed).count() as f64;
        let (rate, n) = (0.9 * p, 4000f64);
        let deviation = (n * rate * (1.0 - rate)).sqrt();
        assert!((changed - n * rate).abs() <= 5.0 * deviation, "{condition}: {changed}");
        for (i, (&a, &b)) in classes(&now).iter().zip(&classes(&own)).enumerate() {
            assert_eq!(now.changed[i], a != b);
        }
        if let (Condition::Labels(LabelRule::Corrupted(_)), Some(less)) = (condition, &before) {
            for (i, &changed) in less.changed.iter().enumerate() {
                assert!(!changed || classes(less)[i] == classes(&now)[i], "nested");
            }
        }
        before = Some(now);

        let drawn = run(condition, true).1;
        let changed = drawn.changed.iter().filter(|&&changed| changed).count() as f64;
        let deviation = (3000f64 * rate * (1.0 - rate)).sqrt();
        assert!((changed - 3000.0 * rate).abs() <= 5.0 * deviation, "{condition}: {changed}");
    }
    let seed = stream(SEED, Purpose::TestLabels).next_u64();
    let recipe = Recipe::new(LabelRule::Random, &test.labels, seed).unwrap();
    let (a, b) = run(Condition::Labels(LabelRule::Random), true);
    assert_eq!(b.labels, recipe.apply(&test.labels));
    assert_ne!(classes(&a)[..3000], classes(&b), "not the training labels again");
}

#[test]
fn threads_and_repetition_change_nothing() {
    let (train, test) = (bytes(37, &[3, 13, 11], 7), bytes(20, &[3, 13, 11], 8));
    let preprocess = Preprocess { scale: true, crop: Some(9), whiten: true };
    let conditions = [
        PIXELS.as_slice(),
        &[
            Condition::Labels(LabelRule::True),
            Condition::Labels(LabelRule::Corrupted(0.5)),
            Condition::Labels(LabelRule::Random),
        ],
    ];
    for condition in conditions.concat() {
        let run = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let run = || prepare::<f32>(&train, Some(&test), condition, &preprocess, seed, true);
            let (a, b) = pool.install(run).unwrap();
            let bits = |p: &Prepared<f32>| p.values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let b = b.unwrap();
            (bits(&a), bits(&b), a.labels, b.labels)
        };
        assert!(run(1, SEED) == run(4, SEED), "{condition}");
        assert_eq!(
            run(2, SEED) != run(2, SEED + 1),
            condition != Condition::Labels(LabelRule::True),
            "{condition}"
        );
    }
}

#[test]
fn what_is_refused() {
    let refusal = |train: &RawSample, test: Option<&RawSample>, condition, preprocess| {
        prepare::<f32>(train, test, condition, &preprocess, SEED, false).unwrap_err()
    };
    let text = |error: SampleError| error.to_string();
    let image = bytes(4, &[1, 4, 5], 1);

    for side in [0, 5, 6] {
        let error = refusal(
            &image,
            None,
            Condition::Labels(LabelRule::True),
            Preprocess { crop: Some(side), ..PLAIN },
        );
        assert!(matches!(error, SampleError::Crop { side: s, .. } if s == side), "{error}");
    }
    let error = refusal(
        &image,
        None,
        Condition::Labels(LabelRule::True),
        Preprocess { crop: Some(5), ..PLAIN },
    );
    assert_eq!(text(error), "a crop to 5×5 does not fit into images of 1×4×5");

    for condition in PIXELS {
        for sides in [&[20][..], &[20, 1, 1]] {
            let error = refusal(&bytes(4, sides, 1), None, condition, PLAIN);
            assert!(matches!(error, SampleError::Condition { .. }), "{error}");
        }
        // A crop to one position leaves nothing to move either.
        let error = refusal(&image, None, condition, Preprocess { crop: Some(1), ..PLAIN });
        assert!(text(error).starts_with(&format!("the condition {condition} does not apply")));
    }

    let mut real = image.clone();
    real.labels = Labels::real(vec![0.5; 4], 1).unwrap();
    let error = refusal(&real, None, Condition::Labels(LabelRule::Corrupted(0.5)), PLAIN);
    assert!(matches!(error, SampleError::Rule { .. }), "{error}");
    let error = refusal(&image, None, Condition::Labels(LabelRule::Corrupted(f64::NAN)), PLAIN);
    assert!(matches!(error, SampleError::Rule { .. }), "{error}");
    assert!(
        prepare::<f32>(
            &real,
            Some(&real),
            Condition::Labels(LabelRule::Random),
            &PLAIN,
            SEED,
            true
        )
        .is_ok()
    );

    let mut fewer = image.clone();
    fewer.labels = Labels::classes(vec![0; 4], 3).unwrap();
    let mut named = image.clone();
    let names = (0..10).map(|k| format!("class {k}")).collect();
    named.labels = Labels::Classes { of: vec![0; 4], count: 10, names, numbered: true };
    let floats = sample(Values::F32(vec![0.5; 20]), &[1, 4, 5], 10);
    for (test, what) in [
        (&bytes(4, &[1, 5, 4], 1), "images of shape 1×5×4"),
        (&fewer, "labels of 3 classes"),
        (&named, "labels of 10 classes (class 0, "),
        (&real, "labels of 1 real outputs"),
        (&floats, "values of type f32"),
    ] {
        let error = refusal(&image, Some(test), Condition::Labels(LabelRule::True), PLAIN);
        assert!(matches!(error, SampleError::TestDiffers { .. }), "{error}");
        assert!(text(error).starts_with(&format!("the test sample has {what}")));
    }
    // [4, 5] is 1×4×5.
    assert!(
        prepare::<f32>(
            &image,
            Some(&bytes(2, &[4, 5], 2)),
            Condition::Labels(LabelRule::True),
            &PLAIN,
            1,
            false
        )
        .is_ok()
    );

    let error =
        refusal(&bytes(2, &[2, 2, 2, 2], 1), None, Condition::Labels(LabelRule::True), PLAIN);
    assert!(matches!(&error, SampleError::NoImage(shape) if shape == &[2; 4]), "{error}");

    let mut short = image.clone();
    short.labels = Labels::classes(vec![0; 3], 10).unwrap();
    let error = refusal(&short, None, Condition::Labels(LabelRule::True), PLAIN);
    assert!(matches!(error, SampleError::LabelCount { points: 4, labels: 3 }), "{error}");

    // 1e39 is no f32; the square of 1e200 is no f64.
    let white = Preprocess { whiten: true, ..PLAIN };
    for (large, preprocess) in [(1e39, PLAIN), (1e200, white)] {
        let mut values = vec![0.0; 12];
        values[9] = large;
        let raw = sample(Values::F64(values), &[2, 2], 2);
        let error = refusal(&raw, None, Condition::Labels(LabelRule::True), preprocess);
        assert!(matches!(error, SampleError::OutOfRange { index: 2, .. }), "{error}");
    }
}

#[test]
fn texts_are_read_back() {
    for text in ["true", "corrupted:0.3", "random", "shuffled-pixels", "random-pixels", "gaussian"]
    {
        assert_eq!(text.parse::<Condition>().unwrap().to_string(), text);
    }
    for text in ["", "alternating", "corrupted", "corrupted:-1", "corrupted:NaN", "Gaussian"] {
        assert!(text.parse::<Condition>().unwrap_err().contains("expected true, corrupted:P"));
    }
    for text in ["none", "crop", "flip", "crop,flip", "rotate:25", "crop,flip,rotate:0.5"] {
        assert_eq!(text.parse::<Augmentation>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "crop,",
        "crop,crop",
        "flip,none",
        "rotate",
        "rotate:0",
        "rotate:NaN",
        "rotate:181",
        "rotate:5,rotate:6",
        "shear",
    ] {
        assert!(text.parse::<Augmentation>().is_err(), "{text}");
    }
}

#[test]
fn draws_cover_their_ranges_evenly() {
    let all = Augmentation { crop: true, flip: true, rotation: 25.0 };
    let n = 20_000;
    let draws: Vec<Draw> = (0..n).map(|k| all.draw(SEED, k / 200, k % 200, (4, 2))).collect();
    let share =
        |of: &dyn Fn(&Draw) -> bool| draws.iter().filter(|d| of(d)).count() as f64 / n as f64;
    let even = |found: f64, p: f64| {
        let deviation = (p * (1.0 - p) / f64::from(n)).sqrt();
        assert!((found - p).abs() < 5.0 * deviation, "{found} and not {p}");
    };
    for dy in 0..=4 {
        for dx in 0..=2 {
            even(share(&|d| (d.dy, d.dx) == (dy, dx)), 1.0 / 15.0);
        }
    }
    even(share(&|d| d.flip), 0.5);
    for quarter in 0..4 {
        let low = -25.0 + 12.5 * f64::from(quarter);
        even(share(&|d| (low..low + 12.5).contains(&d.angle)), 0.25);
    }
    // Each argument matters, both halves of the seed included.
    let base = all.draw(1, 2, 3, (1000, 1000));
    for other in [
        all.draw(1 << 32 | 1, 2, 3, (1000, 1000)),
        all.draw(0, 2, 3, (1000, 1000)),
        all.draw(1, 3, 3, (1000, 1000)),
        all.draw(1, 2, 4, (1000, 1000)),
        all.draw(1, 3, 2, (1000, 1000)),
    ] {
        assert_ne!(base, other);
    }
    // The same for ever: a run that is resumed draws what it would have drawn.
    // (Written down from an implementation in another language.)
    assert_eq!(base, Draw { dy: 750, dx: 29, flip: false, angle: 18.54508640244603 });
    // What is left out does not move the rest.
    let flip = Augmentation { flip: true, ..Augmentation::default() }.draw(1, 2, 3, (1000, 1000));
    assert_eq!(flip, Draw { dy: 500, dx: 500, flip: base.flip, angle: 0.0 });
}

/// Bilinear interpolation as a sum over all pixels with hat functions, from one channel of the
/// flipped window.
fn rotated(window: &[f64], h: usize, w: usize, angle: f64) -> Vec<f64> {
    let (cy, cx) = ((h as f64 - 1.0) / 2.0, (w as f64 - 1.0) / 2.0);
    let t = angle.to_radians();
    let mut output = Vec::new();
    for k in 0..h * w {
        let (y, x) = ((k / w) as f64 - cy, (k % w) as f64 - cx);
        let y_from = (cy + y * t.cos() + x * t.sin()).clamp(0.0, h as f64 - 1.0);
        let x_from = (cx + x * t.cos() - y * t.sin()).clamp(0.0, w as f64 - 1.0);
        let hat = |distance: f64| (1.0 - distance.abs()).max(0.0);
        let weigh = |(p, value): (usize, &f64)| {
            value * hat((p / w) as f64 - y_from) * hat((p % w) as f64 - x_from)
        };
        output.push(window.iter().enumerate().map(weigh).sum());
    }
    output
}

#[test]
fn augmented_images_equal_their_oracle() {
    let all = Augmentation { crop: true, flip: true, rotation: 180.0 };
    for sides in SHAPES {
        let raw = shape_of(&sides);
        let (image, _) = both(
            &bytes(1, &sides, 9),
            &bytes(1, &sides, 9),
            Condition::Labels(LabelRule::True),
            &PLAIN,
        );
        for (h, w) in [(sides[1], sides[2]), (sides[1].div_ceil(2), sides[2].div_ceil(2))] {
            let shape = Shape { height: h, width: w, ..raw };
            for (k, whiten) in (0..8).map(|k| (k, k % 2 == 1)) {
                let mut draw = all.draw(SEED, k, 0, (raw.height - h, raw.width - w));
                if k >= 6 {
                    draw.angle = 0.0;
                }
                let mut wanted = Vec::new();
                for plane in image.values.chunks(raw.height * raw.width) {
                    let pixel = |p: usize| {
                        let x = if draw.flip { w - 1 - p % w } else { p % w };
                        plane[(draw.dy + p / w) * raw.width + draw.dx + x]
                    };
                    let window: Vec<f64> = (0..h * w).map(pixel).collect();
                    wanted.extend(rotated(&window, h, w, draw.angle));
                }
                let wanted = if whiten { whitened(&wanted) } else { wanted };
                let mut found = vec![f64::NAN; shape.len()];
                draw.apply(&image.values, raw, &mut found, shape, whiten);
                close(&found, &wanted, &format!("{draw:?} of {raw} to {shape}"));
            }
        }
    }
}

/// Nothing drawn: the same numbers as without augmentation.
#[test]
fn no_augmentation_is_plain_preprocessing() {
    for (sides, side) in [([3, 32, 32], 28), ([1, 7, 6], 3)] {
        let raw = bytes(3, &sides, 10);
        let preprocess = Preprocess { scale: true, crop: Some(side), whiten: true };
        let (wanted, _) = both(&raw, &raw, Condition::Labels(LabelRule::True), &preprocess);
        let (source, _) = both(&raw, &raw, Condition::Labels(LabelRule::True), &PLAIN);
        let (whole, part) = (source.shape, wanted.shape);
        let room = (whole.height - side, whole.width - side);
        for i in 0..3 {
            let draw = Augmentation::default().draw(SEED, 5, i, room);
            assert_eq!(draw, Draw::plain(whole, part));
            let mut found = vec![f64::NAN; part.len()];
            let i = i as usize;
            let image = &source.values[i * whole.len()..(i + 1) * whole.len()];
            draw.apply(image, whole, &mut found, part, true);
            assert_eq!(found, wanted.values[i * part.len()..(i + 1) * part.len()]);
        }
    }
}

/// A quarter turn counterclockwise takes the last column to the first row.
#[test]
fn a_quarter_turn_is_a_transposed_flip() {
    for side in [3, 9, 28] {
        let shape = shape_of(&[2, side, side]);
        let raw = bytes(1, &[2, side, side], 12);
        let source = both(&raw, &raw, Condition::Labels(LabelRule::True), &PLAIN).0.values;
        let mut found = vec![f64::NAN; shape.len()];
        Draw { dy: 0, dx: 0, flip: false, angle: 90.0 }
            .apply(&source, shape, &mut found, shape, false);
        for (k, value) in found.iter().enumerate() {
            let (c, y, x) = (k / (side * side), k / side % side, k % side);
            let wanted = source[(c * side + x) * side + side - 1 - y];
            assert!((value - wanted).abs() < 1e-13, "{side}: {value} and not {wanted}");
        }
    }
}
