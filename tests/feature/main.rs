//! Promise: feature maps are what their descriptions say, compared with oracles that are written straight from them;
//! whitening whitens; blocks are parts of the whole, whatever the number of threads; and every image that a sample can
//! hold has features or a refusal.

#[path = "../common/cases.rs"]
mod cases;

use std::f64::consts::PI;

use proptest::prelude::*;

use shatter_feature::gabor::{GaborSettings, pair};
use shatter_feature::random_conv::{Filters, RandomConvSettings};
use shatter_feature::{FeatureChoice, FeatureError, FeatureMap, Images, Whitening};
use shatter_random::stream::{Purpose, below, stream};
use shatter_sample::{Base, Points, Scale, Values};

/// Images of random bytes.
fn bytes(n: usize, shape: &[usize], seed: u64) -> Points {
    let mut rng = stream(seed, Purpose::Points);
    let len = n * shape.iter().product::<usize>();
    let values = (0..len).map(|_| below(&mut rng, 256) as u8).collect();
    Points::new(Values::U8(values), shape.to_vec()).unwrap()
}

fn choice(text: &str) -> FeatureChoice {
    text.parse().unwrap()
}

fn all(map: &FeatureMap, images: &Images<'_>) -> Vec<f64> {
    assert_eq!(map.columns(), map.choice().columns(images.shape()));
    let mut features = vec![0.0; images.n() * map.columns()];
    map.block(images, 0..images.n(), 0..map.columns(), &mut features).unwrap();
    features
}

/// Pixel (y, x) of a channel, 0 beyond the image.
fn pixel(image: &[f64], [_, height, width]: [usize; 3], c: usize, y: isize, x: isize) -> f64 {
    if y < 0 || x < 0 || y >= height as isize || x >= width as isize {
        return 0.0;
    }
    image[(c * height + y as usize) * width + x as usize]
}

fn image(images: &Images<'_>, i: usize) -> Vec<f64> {
    let mut image = vec![0.0; images.shape().len()];
    images.load(i, &mut image);
    image
}

/// Features by a Gabor bank, from the definition.
fn gabor(image: &[f64], shape: [usize; 3], settings: GaborSettings) -> Vec<f64> {
    let [channels, height, width] = shape;
    let GaborSettings { wavelength, scales, orientations, cell } = settings;
    let (rows, columns) = (height.div_ceil(cell), width.div_ceil(cell));
    let mut features = Vec::new();
    for c in 0..channels {
        for scale in 0..scales {
            let wavelength = wavelength * 2f64.powi(scale as i32);
            for k in 0..orientations {
                let [even, odd] = pair(wavelength, PI * k as f64 / orientations as f64);
                let side = even.len().isqrt() as isize;
                let (mut sums, mut counts) = (vec![0.0; rows * columns], vec![0.0; rows * columns]);
                for y in 0..height {
                    for x in 0..width {
                        let response = |filter: &[f64]| -> f64 {
                            (0..side * side)
                                .map(|at| {
                                    let (dy, dx) = (at / side - side / 2, at % side - side / 2);
                                    let (y, x) = (y as isize + dy, x as isize + dx);
                                    filter[at as usize] * pixel(image, shape, c, y, x)
                                })
                                .sum()
                        };
                        let at = (y * rows / height) * columns + x * columns / width;
                        sums[at] += response(&even).hypot(response(&odd));
                        counts[at] += 1.0;
                    }
                }
                features.extend(sums.iter().zip(&counts).map(|(sum, count)| sum / count));
            }
        }
    }
    features
}

/// Random convolutional features of learned filters, from the definition.
fn random_conv(image: &[f64], [channels, height, width]: [usize; 3], map: &FeatureMap) -> Vec<f64> {
    let map = map.random_conv().unwrap();
    let RandomConvSettings { count, patch: s, threshold, pool, .. } = map.settings();
    let (rows, columns) = (height - s + 1, width - s + 1);
    let (cell_rows, cell_columns) = (pool.min(rows), pool.min(columns));
    let mut features = Vec::new();
    for j in 0..count {
        let (filter, offset) = map.filter(j);
        for (s_at, sign) in [1.0, -1.0].into_iter().enumerate() {
            for cell in 0..cell_rows * cell_columns {
                let (mut sum, mut positions) = (0.0, 0.0);
                for y in 0..rows {
                    for x in 0..columns {
                        let here = y * cell_rows / rows * cell_columns + x * cell_columns / columns;
                        if here != cell {
                            continue;
                        }
                        let mut patch = Vec::new();
                        for c in 0..channels {
                            for row in y..y + s {
                                let start = (c * height + row) * width + x;
                                patch.extend_from_slice(&image[start..start + s]);
                            }
                        }
                        let d = patch.len() as f64;
                        let mean = patch.iter().sum::<f64>() / d;
                        let variance = patch.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / d;
                        let deviation = (variance + 10.0 / 255.0 / 255.0).sqrt();
                        let terms =
                            patch.iter().zip(filter).map(|(p, g)| (p - mean) / deviation * g);
                        let z = sign * (terms.sum::<f64>() - offset);
                        sum += (z - threshold).max(0.0);
                        positions += 1.0;
                    }
                }
                let cells = cell_rows * cell_columns;
                let (mean, factor) = map.scaling((2 * j + s_at) * cells + cell);
                features.push((sum / positions - mean) * factor);
            }
        }
    }
    features
}

/// Sums of products in another order differ by a few roundings of their size.
fn agree(found: &[f64], expected: &[f64], terms: usize) -> Result<(), String> {
    let size = expected.iter().fold(1.0f64, |most, x| most.max(x.abs()));
    let bound = 8.0 * terms as f64 * f64::EPSILON * size;
    for (k, (x, y)) in found.iter().zip(expected).enumerate() {
        if (x - y).abs() > bound {
            return Err(format!("feature {k}: {x} and not {y}, bound {bound}"));
        }
    }
    if found.len() == expected.len() { Ok(()) } else { Err(format!("{} features", found.len())) }
}

proptest! {
    #![proptest_config(cases::cases(24))]

    #[test]
    fn a_gabor_bank_is_its_definition(
        shape in [1usize..3, 1usize..8, 1usize..8],
        wavelength in 2.0f64..7.0, scales in 1usize..3, orientations in 1usize..4, cell in 1usize..5,
        seed in any::<u64>(),
    ) {
        let points = bytes(2, &shape, seed);
        let images = Images::new(&points).unwrap();
        let settings = GaborSettings { wavelength, scales, orientations, cell };
        let map = FeatureMap::learn(FeatureChoice::Gabor(settings), &images, seed).unwrap();
        let features = all(&map, &images);
        for (i, found) in features.chunks_exact(map.columns()).enumerate() {
            let expected = gabor(&image(&images, i), shape, settings);
            // Windows have at most 31 · 31 positions.
            prop_assert_eq!(agree(found, &expected, 961), Ok(()));
        }
    }

    #[test]
    fn random_convolutions_are_their_definition(
        shape in [1usize..4, 3usize..8, 3usize..8],
        patch in 1usize..4, pool in 1usize..4, count in 1usize..5, gaussian in any::<bool>(),
        threshold in 0.0f64..1.0, seed in any::<u64>(),
    ) {
        let points = bytes(3, &shape, seed);
        let images = Images::new(&points).unwrap();
        let filters = if gaussian { Filters::Gaussian } else { Filters::Patches };
        let settings = RandomConvSettings { count, patch, filters, threshold, pool };
        let map = FeatureMap::learn(FeatureChoice::RandomConv(settings), &images, seed).unwrap();
        let features = all(&map, &images);
        for (i, found) in features.chunks_exact(map.columns()).enumerate() {
            let expected = random_conv(&image(&images, i), shape, &map);
            // Normalisation divides by 0.012 at least: some 80 times the roundings of a pixel.
            let scaling = (0..map.columns()).map(|k| map.random_conv().unwrap().scaling(k).1);
            let largest = scaling.fold(1.0f64, f64::max);
            prop_assert_eq!(agree(found, &expected, (80.0 * 27.0 * largest) as usize), Ok(()));
        }
    }

    #[test]
    fn words_are_read_as_they_are_written(
        wavelength in 2.0f64..64.0, scales in 1usize..=6, orientations in 1usize..=64, cell in 1usize..=1024,
        count in 1usize..=1 << 20, patch in 1usize..=64, gaussian in any::<bool>(),
        threshold in 0.0f64..1e6, pool in 1usize..=64,
    ) {
        let filters = if gaussian { Filters::Gaussian } else { Filters::Patches };
        for choice in [
            FeatureChoice::None,
            FeatureChoice::Gabor(GaborSettings { wavelength, scales, orientations, cell }),
            FeatureChoice::RandomConv(RandomConvSettings { count, patch, filters, threshold, pool }),
        ] {
            prop_assert_eq!(choice.to_string().parse(), Ok(choice));
        }
    }

    /// W (C + ε I) W = I, where C + ε I is regular.
    #[test]
    fn whitening_whitens(d in 1usize..12, extra in 0usize..40, floor in 0.01f64..1.0, seed in any::<u64>()) {
        let m = d + extra;
        let mut rng = stream(seed, Purpose::Points);
        let number = |_| below(&mut rng, 1 << 20) as f64 / f64::from(1 << 19) - 1.0;
        let patches: Vec<f64> = (0..m * d).map(number).collect();
        let Whitening { mean, matrix } = Whitening::learn(&patches, d, floor).unwrap();
        let covariance = |i: usize, j: usize| {
            let terms = patches.chunks_exact(d).map(|p| (p[i] - mean[i]) * (p[j] - mean[j]));
            terms.sum::<f64>() / m as f64 + if i == j { floor } else { 0.0 }
        };
        // Entries of C are at most 4, those of W at most 1/√ε; eigenvectors are off by some 100 d units, in proportion
        // to the condition of C + ε I.
        let condition = (4.0 * d as f64 + floor) / floor;
        let bound = 100.0 * (d * d * m) as f64 * f64::EPSILON * condition;
        for i in 0..d {
            for j in 0..d {
                let row = (0..d).flat_map(|k| (0..d).map(move |l| (k, l)));
                let terms = row.map(|(k, l)| matrix.at(i, k) * covariance(k, l) * matrix.at(l, j));
                let expected = if i == j { 1.0 } else { 0.0 };
                let found: f64 = terms.sum();
                prop_assert!((found - expected).abs() <= bound, "{found} at ({i}, {j}), bound {bound}");
            }
        }
    }
}

#[test]
fn a_direction_without_variance_is_left_out() {
    let patches = [1.0, 5.0, -1.0, 5.0];
    let whitening = Whitening::learn(&patches, 2, 0.0).unwrap();
    assert_eq!((whitening.matrix.at(0, 0), whitening.matrix.at(1, 1)), (1.0, 0.0));
    assert_eq!(whitening.mean, [0.0, 5.0]);
    let infinite = Whitening::learn(&[1e200, -1e200], 1, 0.1);
    assert_eq!(infinite, Err(FeatureError::Eigenvalues { patches: 2 }));
}

/// Over the images by which they are scaled, features have mean 0 and variance 1/columns, or are 0.
#[test]
fn features_are_centred_and_scaled() {
    let points = bytes(40, &[2, 7, 7], 6);
    let images = Images::new(&points).unwrap();
    let map = FeatureMap::learn(choice("random-conv:9,patch=3"), &images, 1).unwrap();
    let (n, d) = (images.n(), map.columns());
    let features = all(&map, &images);
    for k in 0..d {
        let values = || features.iter().skip(k).step_by(d);
        let mean = values().sum::<f64>() / n as f64;
        let square = values().map(|x| x * x).sum::<f64>() / n as f64 * d as f64;
        let (_, factor) = map.random_conv().unwrap().scaling(k);
        let expected = if factor == 0.0 { 0.0 } else { 1.0 };
        // Means are at most some 1/factor, which n roundings may move.
        let bound = 64.0 * n as f64 * f64::EPSILON * (1.0 + factor.max(1.0));
        assert!(
            mean.abs() <= bound && (square - expected).abs() <= bound,
            "column {k}: {mean}, {square}"
        );
    }
}

/// Numbers of a matrix, in bits.
fn bits(features: &[f32]) -> Vec<u32> {
    features.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn blocks_are_parts_of_the_whole_on_any_number_of_threads() {
    let points = bytes(9, &[2, 9, 7], 1);
    let images = Images::new(&points).unwrap();
    for text in ["none", "gabor:cell=3,scales=2,orientations=3", "random-conv:7,patch=3"] {
        let map = FeatureMap::learn(choice(text), &images, 5).unwrap();
        let d = map.columns();
        let mut whole = vec![0.0f32; 9 * d];
        map.block(&images, 0..9, 0..d, &mut whole).unwrap();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut again = vec![0.0f32; 9 * d];
            let map = pool.install(|| {
                let map = FeatureMap::learn(choice(text), &images, 5).unwrap();
                map.block(&images, 0..9, 0..d, &mut again).unwrap();
                map
            });
            assert_eq!(bits(&again), bits(&whole), "{text} on {threads} threads");
            // Rows alone have the bytes that they have among others; a sum may be ordered differently in another block
            // of columns, so columns are compared with the tolerance of rounding.
            let mut rows = vec![0.0f32; 2 * d];
            map.block(&images, 4..6, 0..d, &mut rows).unwrap();
            assert_eq!(bits(&rows), bits(&whole[4 * d..6 * d]), "{text}");
        }
        let mut covered = 0;
        for columns in map.blocks(20) {
            assert_eq!(columns.start, covered);
            covered = columns.end;
            let mut block = vec![0.0f32; 9 * columns.len()];
            map.block(&images, 0..9, columns.clone(), &mut block).unwrap();
            for (i, row) in block.chunks_exact(columns.len()).enumerate() {
                for (found, expected) in row.iter().zip(&whole[i * d..][columns.clone()]) {
                    assert!((found - expected).abs() <= 1e-3 * expected.abs().max(1.0), "{text}");
                }
            }
        }
        assert_eq!(covered, d);
    }
}

#[test]
fn a_filter_depends_on_its_number_alone() {
    let points = bytes(5, &[3, 8, 8], 2);
    let images = Images::new(&points).unwrap();
    for filters in ["patches", "gaussian"] {
        let learn = |count: usize, seed| {
            let text = format!("random-conv:{count},patch=4,filters={filters}");
            FeatureMap::learn(choice(&text), &images, seed).unwrap()
        };
        let (few, many, other) = (learn(3, 7), learn(9, 7), learn(3, 8));
        for j in 0..3 {
            let filter = |map: &FeatureMap| {
                let (filter, offset) = map.random_conv().unwrap().filter(j);
                (filter.to_vec(), offset)
            };
            assert_eq!(filter(&few), filter(&many));
            assert_ne!(filter(&few), filter(&other));
        }
    }
}

#[test]
fn pixels_are_in_the_unit_of_the_sample() {
    let one = |values, expected: &[f64]| {
        let points = Points::new(values, vec![2]).unwrap();
        let images = Images::new(&points).unwrap();
        let map = FeatureMap::learn(FeatureChoice::None, &images, 0).unwrap();
        assert_eq!(all(&map, &images), expected);
    };
    one(Values::U8(vec![0, 255]), &[0.0, 1.0]);
    one(Values::I64(vec![-3, 4]), &[-3.0, 4.0]);
    let scale = Scale { base: Base::Ten, exponent: 1 };
    one(Values::Scaled { values: vec![15, -2], scale }, &[1.5, -0.2]);
    one(Values::F32(vec![0.5, 2.0]), &[0.5, 2.0]);
}

#[test]
fn awkward_images_have_features_or_a_refusal() {
    // One pixel, a line, one channel and several.
    for shape in [&[1, 1][..], &[1, 1, 1], &[5], &[3, 1, 9], &[1, 9, 1], &[2, 6, 7]] {
        let points = bytes(2, shape, 3);
        let images = Images::new(&points).unwrap();
        for text in ["none", "gabor", "gabor:wavelength=2,scales=2", "random-conv:3,patch=1"] {
            let map = FeatureMap::learn(choice(text), &images, 0);
            if shape.len() == 1 && text.starts_with("gabor") {
                // Plain numbers are no image on which a wave is seen.
                assert!(matches!(map, Err(FeatureError::Plain(5))), "{text}");
                continue;
            }
            let map = map.unwrap();
            assert!(all(&map, &images).iter().all(|x| x.is_finite()), "{text} of {shape:?}");
        }
        let found = FeatureMap::learn(choice("random-conv:3,patch=7"), &images, 0);
        assert!(matches!(found, Err(FeatureError::SmallImage { patch: 7, .. })), "{shape:?}");
    }
    // Constant images have no contrast: away from the edges nothing responds, and every patch is its mean.
    let points = Points::new(Values::U8(vec![200; 2 * 64]), vec![8, 8]).unwrap();
    let images = Images::new(&points).unwrap();
    let map = FeatureMap::learn(choice("random-conv:4,patch=3,threshold=0"), &images, 0).unwrap();
    let bound = 1e3 * f64::EPSILON;
    assert!(all(&map, &images).iter().all(|x| x.abs() <= bound));
    let four = Points::new(Values::U8(vec![1; 16]), vec![2, 2, 2, 2]).unwrap();
    let found = Images::new(&four).unwrap_err();
    assert_eq!(found, FeatureError::NoImage { sides: vec![2, 2, 2, 2] });
    // Numbers whose squares overflow.
    let large = Points::new(Values::F64(vec![1e300; 9]), vec![3, 3]).unwrap();
    let images = Images::new(&large).unwrap();
    let map = FeatureMap::learn(choice("gabor"), &images, 0).unwrap();
    let mut features = vec![0.0; map.columns()];
    let found = map.block(&images, 0..1, 0..map.columns(), &mut features);
    assert!(matches!(found, Err(FeatureError::NotFinite { row: 0, .. })), "{found:?}");
}

#[test]
fn blocks_that_do_not_fit_are_refused() {
    let (points, other) = (bytes(4, &[6, 6], 4), bytes(4, &[6, 7], 4));
    let images = Images::new(&points).unwrap();
    let map = FeatureMap::learn(choice("random-conv:3,patch=3"), &images, 0).unwrap();
    let refused = |images: &Images<'_>, rows, columns, room: usize| {
        map.block(images, rows, columns, &mut vec![0.0f32; room]).unwrap_err().to_string()
    };
    assert_eq!(map.group(), 8);
    let message = refused(&Images::new(&other).unwrap(), 0..1, 0..8, 8);
    assert_eq!(message, "the map takes images of 1×6×6; found 1×6×7");
    assert_eq!(refused(&images, 3..5, 0..8, 16), "images 3 to 5: expected at most 4");
    for columns in [1..8, 0..7, 16..32] {
        let message = refused(&images, 0..1, columns.clone(), columns.len());
        assert!(message.contains("expected multiples of 8, at most 24"), "{message}");
    }
    let message = refused(&images, 0..2, 8..16, 15);
    assert_eq!(message, "a block of 2 images and 8 columns has 16 numbers; found room for 15");
    assert_eq!(map.block::<f64>(&images, 1..1, 0..24, &mut []), Ok(()));
}

#[test]
fn words_that_mean_nothing_are_refused() {
    for (text, word) in [
        ("", "'' is not known"),
        ("pixels", "'pixels' is not known"),
        ("none:1", "none has no options"),
        ("random-conv", "needs a number of filters"),
        ("random-conv:0", "N=0"),
        ("random-conv:1e3", "N=1e3"),
        ("random-conv:5,patch=0", "patch=0"),
        ("random-conv:5,patch", "'patch' is not KEY=VALUE"),
        ("random-conv:5,filters=kmeans", "neither patches nor gaussian"),
        ("random-conv:5,threshold=-1", "threshold=-1"),
        ("random-conv:5,threshold=NaN", "threshold=NaN"),
        ("random-conv:5,cell=4", "no 'cell'"),
        ("gabor:wavelength=1", "wavelength=1"),
        ("gabor:wavelength=inf", "wavelength=inf"),
        ("gabor:orientations=65", "orientations=65"),
        ("gabor:8", "'8' is not KEY=VALUE"),
        ("gabor:pool=2", "no 'pool'"),
    ] {
        let found = text.parse::<FeatureChoice>().unwrap_err();
        assert!(found.contains(word), "{found}");
        assert!(found.contains("expected none, gabor or random-conv:N"), "{found}");
    }
}
