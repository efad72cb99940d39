//! Promise: the paper's networks have the paper's numbers of parameters, and what is written as
//! text is read back as the same network.

use proptest::prelude::*;
use shatter_network::Architecture;
use shatter_network::architecture::{EPSILON, Layer, Pool, Shape, Window};

const IMAGE: Shape = Shape { channels: 3, height: 28, width: 28 };

#[test]
fn parameters_of_the_paper() {
    let counts = [
        ("mlp1x512", 1_209_866, 1_209_866),
        ("mlp3x512", 1_735_178, 1_735_178),
        ("alexnet", 1_387_786, 1_387_786),
        ("inception", 1_652_826, 1_649_402),
        ("inception-nobn", 1_649_402, 1_649_402),
    ];
    for (name, all, paper) in counts {
        let network = Architecture::named(name, IMAGE, 10).unwrap();
        assert_eq!(network.parameters().unwrap(), all, "{name}");
        assert_eq!(network.parameters_of_the_paper().unwrap(), paper, "{name}");
        assert_eq!(network.output().unwrap(), Shape::vector(10));
    }
    let wide = Architecture::named("mlp:100,50", IMAGE, 10).unwrap();
    let expected = 2352 * 100 + 100 + 100 * 50 + 50 + 50 * 10 + 10;
    assert_eq!(wide.parameters().unwrap(), expected);
}

#[test]
fn what_is_wrong_is_named() {
    let deep = "[ ".repeat(20) + "relu" + &" ]".repeat(20);
    let cases = [
        ("", "it has no layers"),
        ("konv(8)", "'konv(8)' is neither a layer"),
        ("conv(8", "a ')' is missing"),
        ("conv(8)", "the size is missing"),
        ("conv(8,x)", "'x' is not a number"),
        ("conv(8,3,pads=1)", "'pads=1' is not understood"),
        ("relu(1)", "'1' is not understood"),
        ("[ relu", "a '[' is never closed"),
        ("relu ]", "closes no branch"),
        (deep.as_str(), "nest more than 16 deep"),
        ("conv(8,40)", "does not fit 3×28×28"),
        ("conv(8,3,stride=0)", "does not fit"),
        ("maxpool(3,pad=3)", "does not fit"),
        ("dense(5)", "flatten 3×28×28 first"),
        ("dropout(1)", "1 is not a rate"),
        ("dropout(nan)", "NaN is not a rate"),
        ("lrn(0)", "must be positive"),
        ("batchnorm(eps=0)", "an epsilon of 0 is not positive and finite"),
        ("batchnorm(eps=-1e-5)", "not positive and finite"),
        ("batchnorm(eps=inf)", "not positive and finite"),
        ("batchnorm(eps=NaN)", "not positive and finite"),
        ("batchnorm(eps=1e-400)", "not positive and finite"),
        ("batchnorm(1e-3)", "'1e-3' is not understood"),
        ("batchnorm(epsilon=1e-3)", "'epsilon=1e-3' is not understood"),
        ("batchnorm(eps=0x1p-3)", "'0x1p-3' is not a number"),
        ("conv(0,3)", "empty or too large"),
        ("[ conv(2,3) | conv(2,5) ]", "branch 1 ends in 24×24"),
        ("flatten dense(99999999999)", "too many parameters"),
        ("flatten dense(18446744073709551615)", "empty or too large"),
        ("mlp:5,,5", "'mlp:5,,5' is neither a layer"),
    ];
    for (text, message) in cases {
        let network = Architecture::named(text, IMAGE, 10);
        let error = network.and_then(|network| network.parameters()).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

/// Decimals stand for the binary64 number nearest to them, ties to even.
#[test]
fn an_epsilon_is_the_number_nearest_to_its_decimal() {
    let halfway = "1.00000000000000011102230246251565404236316680908203125";
    for (text, written) in [
        ("batchnorm", "batchnorm"),
        ("batchnorm()", "batchnorm"),
        ("batchnorm(eps=0.00001)", "batchnorm"),
        ("batchnorm(eps=0.001)", "batchnorm(eps=1e-3)"),
        ("batchnorm(eps=1.00000000000000001e-5)", "batchnorm"),
        ("batchnorm(eps=1.0000000000000003e-5)", "batchnorm(eps=1.0000000000000003e-5)"),
        (&format!("batchnorm(eps={halfway})"), "batchnorm(eps=1e0)"),
        (&format!("batchnorm(eps={halfway}1)"), "batchnorm(eps=1.0000000000000002e0)"),
    ] {
        let network = Architecture::named(text, IMAGE, 10).unwrap();
        assert_eq!(network.to_string(), format!("{written} flatten dense(10)"), "{text}");
    }
}

fn window() -> impl Strategy<Value = Window> {
    (1usize..4, 1usize..3).prop_flat_map(|(size, stride)| {
        (0..size).prop_map(move |padding| Window { size, stride, padding })
    })
}

fn layer() -> impl Strategy<Value = Layer> {
    let pool = prop_oneof![Just(Pool::Max), Just(Pool::Mean)];
    let lrn = |(size, alpha, beta, k)| Layer::LocalResponseNormalization { size, alpha, beta, k };
    let leaf = prop_oneof![
        (1usize..5, window())
            .prop_map(|(channels, window)| Layer::Convolution { channels, window }),
        (pool, window()).prop_map(|(pool, window)| Layer::Pool { pool, window }),
        Just(Layer::Relu),
        prop_oneof![Just(EPSILON), 1e-9..1.0, Just(f64::MIN_POSITIVE), Just(f64::NAN)]
            .prop_map(|epsilon| Layer::BatchNormalization { epsilon }),
        (1usize..5, 0.0..1.0, 0.1..2.0, 0.5..3.0).prop_map(lrn),
        (0.0..0.9).prop_map(|rate| Layer::Dropout { rate }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let branch = prop::collection::vec(inner, 0..3);
        prop::collection::vec(branch, 1..4).prop_map(Layer::Concatenate)
    })
}

proptest! {
    #![proptest_config(crate::common::cases(64))]

    /// Any layers, whether their shapes fit or not.
    #[test]
    fn text_is_read_back(layers in prop::collection::vec(layer(), 1..6)) {
        let whole: Vec<Layer> =
            layers.iter().cloned().chain([Layer::Flatten, Layer::Dense { units: 3 }]).collect();
        let written = Architecture { input: IMAGE, layers: whole };
        let before = Architecture { input: IMAGE, layers }.to_string();
        match (written.output(), Architecture::named(&before, IMAGE, 3)) {
            (Ok(_), Ok(read)) => prop_assert_eq!(read, written),
            (Err(expected), Err(found)) => prop_assert_eq!(expected, found),
            (one, other) => prop_assert!(false, "{before}: {one:?} but {other:?}"),
        }
    }
}
