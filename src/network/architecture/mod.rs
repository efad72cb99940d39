//! Architectures as plain data: which layers, of which shapes, with how many parameters; nothing
//! about their values.

pub mod layer;
pub mod mlp;
pub mod named;
pub mod shape;
pub mod text;

pub use layer::{EPSILON, Layer, Pool, Window};
pub use mlp::{ArchitectureError, Mlp};
pub use shape::{Parameter, ParameterKind, Shape};

/// A network to be trained: layers, one after the other, from an input to `outputs` numbers.
///
/// Layer i is child i of PyTorch's `nn.Sequential`, so parameters are named by paths of indices.
///
/// ```
/// use shatter_network::architecture::{Architecture, Shape};
/// let input = Shape { channels: 3, height: 28, width: 28 };
/// let network = Architecture::named("inception", input, 10)?;
/// assert_eq!(network.parameters()?, 1_652_826);
/// assert_eq!(network.parameters_of_the_paper()?, 1_649_402);
/// # Ok::<(), shatter_network::architecture::ArchitectureError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// Shape of the input.
    pub input: Shape,
    /// The layers, from the input to the outputs.
    pub layers: Vec<Layer>,
}

impl Architecture {
    /// The network of this name, or of this text ([`text`]), for `input` and `outputs` numbers.
    ///
    /// # Errors
    /// [`ArchitectureError`], if the text is none or the shapes do not fit.
    pub fn named(name: &str, input: Shape, outputs: usize) -> Result<Self, ArchitectureError> {
        let layers = match named::layers(name, outputs) {
            Some(layers) => layers,
            None => text::parse(name, outputs)?,
        };
        let architecture = Architecture { input, layers };
        architecture.output()?;
        Ok(architecture)
    }

    /// Whether a layer satisfies `predicate`, branches included.
    ///
    /// ```
    /// use shatter_network::architecture::{Architecture, Layer, Shape};
    /// let network = Architecture::named("dense(4) relu dropout(0.5)", Shape::vector(3), 2)?;
    /// assert!(network.any(|layer| matches!(layer, Layer::Dropout { .. })));
    /// assert!(!network.any(|layer| matches!(layer, Layer::Convolution { .. })));
    /// # Ok::<(), shatter_network::architecture::ArchitectureError>(())
    /// ```
    pub fn any(&self, predicate: impl Fn(&Layer) -> bool) -> bool {
        fn any(layers: &[Layer], predicate: &dyn Fn(&Layer) -> bool) -> bool {
            layers.iter().any(|layer| match layer {
                Layer::Concatenate(branches) => {
                    branches.iter().any(|branch| any(branch, predicate))
                }
                layer => predicate(layer),
            })
        }
        any(&self.layers, &predicate)
    }

    /// The shape of what comes out.
    ///
    /// # Errors
    /// [`ArchitectureError::Layer`], naming the first layer that does not take what it gets.
    pub fn output(&self) -> Result<Shape, ArchitectureError> {
        shape::output(&self.layers, self.input, "")
    }

    /// Every array that belongs to the network, in the order of PyTorch's `state_dict`.
    ///
    /// # Errors
    /// Those of [`Architecture::output`], [`ArchitectureError::TooLarge`].
    pub fn arrays(&self) -> Result<Vec<Parameter>, ArchitectureError> {
        let mut found = Vec::new();
        shape::arrays(&self.layers, self.input, "", &mut found)?;
        let numbers = |array: &Parameter| {
            array.shape.iter().fold(1u64, |product, &side| product.saturating_mul(side as u64))
        };
        let total = found.iter().fold(0u64, |sum, array| sum.saturating_add(numbers(array)));
        if total < 1 << 40 { Ok(found) } else { Err(ArchitectureError::TooLarge) }
    }

    /// Returns the number of trained parameters.
    ///
    /// # Errors
    /// Those of [`Architecture::arrays`].
    pub fn parameters(&self) -> Result<u64, ArchitectureError> {
        let arrays = self.arrays()?;
        Ok(arrays.iter().filter(|array| array.kind.trained()).map(Parameter::len).sum())
    }

    /// Returns the number of parameters as the paper counts them, without those of batch normalization.
    ///
    /// # Errors
    /// Those of [`Architecture::arrays`].
    pub fn parameters_of_the_paper(&self) -> Result<u64, ArchitectureError> {
        let arrays = self.arrays()?;
        let counted = |kind| {
            matches!(kind, ParameterKind::Dense | ParameterKind::Convolution | ParameterKind::Bias)
        };
        Ok(arrays.iter().filter(|array| counted(array.kind)).map(Parameter::len).sum())
    }
}
