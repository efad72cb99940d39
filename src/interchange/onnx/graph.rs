//! Building graphs: names, initializers and nodes in the order in which they are computed.

use prost::Message;

use super::message::{
    Attribute, Dimension, Entry, Graph, Model, Node, OperatorSet, Tensor, TensorShape, TensorType,
    Type, ValueInfo, attribute_type, data_type,
};
use crate::number::Floats;
use shatter_exact::Format;

/// The operator set that files name: ONNX 1.15, of November 2023, which every runtime reads.
const OPSET: i64 = 20;
/// The version of the file format that came with it.
const IR: i64 = 9;

/// Value of an attribute.
#[derive(Clone)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// A number.
    Float(f32),
}

/// A graph that grows.
#[derive(Default)]
pub struct Builder {
    graph: Graph,
}

/// The type of a tensor's numbers, as ONNX counts types.
pub fn element_type(precision: Format) -> i32 {
    match precision {
        Format::F64 => data_type::DOUBLE,
        _ => data_type::FLOAT,
    }
}

impl Builder {
    /// A graph of this name.
    pub fn new(name: &str) -> Builder {
        Builder { graph: Graph { name: name.to_owned(), ..Graph::default() } }
    }

    /// Declares the input, a batch of arrays of shape `sides`; its name.
    pub fn input(&mut self, name: &str, element: i32, sides: &[usize]) -> String {
        self.graph.input.push(declared(name, element, sides));
        name.to_owned()
    }

    /// Declares the output.
    pub fn output(&mut self, name: &str, element: i32, sides: &[usize]) {
        self.graph.output.push(declared(name, element, sides));
    }

    /// A constant; its name.
    pub fn constant(&mut self, name: &str, sides: &[usize], numbers: &Floats) -> String {
        self.tensor(name, sides, element_type(numbers.precision()), numbers.bytes())
    }

    /// Constant whole numbers; their name.
    pub fn integers(&mut self, name: &str, numbers: &[i64]) -> String {
        let bytes = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.tensor(name, &[numbers.len()], data_type::INT64, bytes)
    }

    fn tensor(&mut self, name: &str, sides: &[usize], data_type: i32, raw_data: Vec<u8>) -> String {
        let dims = sides.iter().map(|&side| side as i64).collect();
        let name = name.to_owned();
        self.graph.initializer.push(Tensor {
            dims,
            data_type,
            name,
            raw_data,
            ..Tensor::default()
        });
        self.graph.initializer.last().map_or(String::new(), |tensor| tensor.name.clone())
    }

    /// A node whose output has this name, which must be new; the name.
    pub fn node(&mut self, operator: &str, inputs: &[&str], output: &str) -> String {
        self.node_with(operator, inputs, output, &[])
    }

    /// The same with attributes.
    pub fn node_with(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: &[(&str, Value)],
    ) -> String {
        self.graph.node.push(Node {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: format!("{output}_node"),
            op_type: operator.to_owned(),
            attribute: attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
            domain: String::new(),
        });
        output.to_owned()
    }

    /// The file; `None` if it is beyond the 2 GiB that protobuf has room for.
    pub fn finish(self, description: &str, metadata: &[(String, String)]) -> Option<Vec<u8>> {
        let entry =
            |(key, value): &(String, String)| Entry { key: key.clone(), value: value.clone() };
        let model = Model {
            ir_version: IR,
            producer_name: "shatter".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            doc_string: description.to_owned(),
            graph: Some(self.graph),
            opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
            metadata_props: metadata.iter().map(entry).collect(),
        };
        (model.encoded_len() < 1 << 31).then(|| model.encode_to_vec())
    }
}

fn attribute(name: &str, value: &Value) -> Attribute {
    let base = Attribute { name: name.to_owned(), ..Attribute::default() };
    match value {
        Value::Int(i) => Attribute { i: Some(*i), kind: attribute_type::INT, ..base },
        Value::Ints(ints) => Attribute { ints: ints.clone(), kind: attribute_type::INTS, ..base },
        Value::Float(f) => Attribute { f: Some(*f), kind: attribute_type::FLOAT, ..base },
    }
}

fn declared(name: &str, elem_type: i32, sides: &[usize]) -> ValueInfo {
    let batch = Dimension { dim_value: None, dim_param: Some("batch".to_owned()) };
    let side = |&side: &usize| Dimension { dim_value: Some(side as i64), dim_param: None };
    let shape = TensorShape { dim: [batch].into_iter().chain(sides.iter().map(side)).collect() };
    let tensor_type = Some(TensorType { elem_type, shape: Some(shape) });
    ValueInfo { name: name.to_owned(), r#type: Some(Type { tensor_type }) }
}
