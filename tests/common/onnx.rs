//! ONNX files, byte by byte.

use shatter_interchange::onnx;

/// A field of bytes.
pub fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    field.extend(varint(bytes.len() as u64));
    field.extend(bytes);
    field
}

/// A field of a whole number.
pub fn integer(number: u8, value: u64) -> Vec<u8> {
    [&[number << 3], varint(value).as_slice()].concat()
}

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 128 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A tensor of binary32 numbers.
pub fn tensor(name: &str, dims: &[u64], raw: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|&side| integer(1, side)).collect();
    [dims, integer(2, 1), field(8, name.as_bytes()), field(9, raw)].concat()
}

pub fn node(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|name| field(1, name.as_bytes())).collect();
    [inputs, field(2, output.as_bytes()), field(4, operator.as_bytes())].concat()
}

/// An attribute of whole numbers, to be put behind a node.
pub fn ints(name: &str, numbers: &[u64]) -> Vec<u8> {
    let packed: Vec<u8> = numbers.iter().flat_map(|&x| varint(x)).collect();
    field(5, &[field(1, name.as_bytes()), field(8, &packed)].concat())
}

/// A value of shape batch × sides.
pub fn value(name: &str, sides: &[u64]) -> Vec<u8> {
    let batch = field(1, &field(2, b"batch"));
    let sides = sides.iter().flat_map(|&side| field(1, &integer(1, side)));
    let shape: Vec<u8> = batch.into_iter().chain(sides).collect();
    let tensor = [integer(1, 1), field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

/// A file: nodes, initializers, an input x of d numbers and an output y.
pub fn model(nodes: &[Vec<u8>], initializers: &[Vec<u8>], d: &[u64]) -> Vec<u8> {
    with_outputs(nodes, initializers, d, 1)
}

/// The same with so many outputs.
pub fn with_outputs(
    nodes: &[Vec<u8>],
    initializers: &[Vec<u8>],
    d: &[u64],
    outputs: u64,
) -> Vec<u8> {
    let mut graph: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    graph.extend(initializers.iter().flat_map(|tensor| field(5, tensor)));
    graph.extend(field(11, &value("x", d)));
    graph.extend(field(12, &value("y", &[outputs])));
    [integer(1, 9), field(7, &graph), field(8, &integer(2, 20))].concat()
}

/// y = ReLU(x W), W of 2 × 1.
pub fn small() -> Vec<u8> {
    let weights: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let nodes = [node("MatMul", &["x", "w"], "t"), node("Relu", &["t"], "y")];
    model(&nodes, &[tensor("w", &[2, 1], &weights)], &[2])
}

pub fn reason(bytes: &[u8]) -> String {
    onnx::network(bytes).expect_err("no network").to_string()
}
