//! Why operators are not read, and what to do about it.

/// The reason for an operator that is known and not read; `None` for others.
pub fn reason(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "Sigmoid" | "Tanh" => {
            "it is not linear in pieces, and its values are not rational; after the last layer, leave it out (the order \
             of the outputs is the same without it); inside, train the network with ReLU, LeakyReLU, Hardtanh or \
             Hardsigmoid"
        }
        "Gelu" | "Elu" | "Selu" | "Celu" | "Softplus" | "Mish" | "Erf" | "Exp" | "Log" | "Sin"
        | "Cos" | "Swish" => {
            "it is not linear in pieces, and its values are not rational: train the network with ReLU, LeakyReLU, \
             Hardtanh or Hardsigmoid"
        }
        "HardSwish" => {
            "it multiplies a value by a function of itself: train the network with ReLU, ReLU6 or Hardsigmoid"
        }
        "Sqrt"
        | "Pow"
        | "Reciprocal"
        | "ReduceL2"
        | "LpNormalization"
        | "LayerNormalization"
        | "InstanceNormalization"
        | "GroupNormalization"
        | "RMSNormalization"
        | "MeanVarianceNormalization" => {
            "it takes roots or powers of what depends on the points: use batch normalization, which is affine after \
             training"
        }
        "LSTM" | "GRU" | "RNN" | "Scan" | "Loop" | "If" | "Attention" | "MultiHeadAttention" => {
            "it is not a fixed sequence of operations that are linear in pieces; feed-forward networks are read"
        }
        "ConvTranspose" | "Resize" | "Upsample" | "DepthToSpace" | "SpaceToDepth" => {
            "networks that make images are not read"
        }
        "ArgMax" | "TopK" | "ZipMap" | "ArrayFeatureExtractor" => {
            "its outputs are not one number per class: export the network up to its logits, of which the largest is read"
        }
        "QuantizeLinear"
        | "DequantizeLinear"
        | "DynamicQuantizeLinear"
        | "QLinearConv"
        | "QLinearMatMul"
        | "ConvInteger"
        | "MatMulInteger" => {
            "quantized networks are not read: export the network in floating point"
        }
        "Round" | "Ceil" | "Sign" => {
            "it jumps; Cast(Greater(x, 0)), a threshold, is the jump that is read"
        }
        "Einsum" => "sums over named sides are not read: write it as MatMul and Transpose",
        "RandomNormal" | "RandomUniform" | "Bernoulli" | "Multinomial" | "RandomNormalLike"
        | "RandomUniformLike" => "its outputs are drawn: export the network after model.eval()",
        _ => return None,
    })
}
