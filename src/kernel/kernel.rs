//! The kernels, and their text form.

use std::fmt;
use std::str::FromStr;

/// A kernel: a symmetric function k(x, x') of two points of R^d.
///
/// ```
/// use shatter_kernel::Kernel;
/// let kernel: Kernel = "gaussian:gamma=0.02".parse()?;
/// assert_eq!(kernel, Kernel::Gaussian { gamma: 0.02 });
/// assert_eq!(kernel.to_string(), "gaussian:gamma=0.02");
/// assert_eq!("polynomial:degree=3".parse::<Kernel>()?.to_string(), "polynomial:degree=3,offset=1,scale=1");
/// # Ok::<(), shatter_kernel::KernelError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kernel {
    /// exp(−γ |x − x'|²): strictly positive definite.
    Gaussian {
        /// γ.
        gamma: f64,
    },
    /// exp(−γ |x − x'|): strictly positive definite.
    Laplacian {
        /// γ.
        gamma: f64,
    },
    /// (scale · <x, x'> + offset)^degree: of the rank of the polynomials of that degree.
    Polynomial {
        /// Exponent, from 1 to [`Kernel::MOST_DEGREE`].
        degree: u32,
        /// Added to the inner product, at least 0.
        offset: f64,
        /// Factor of the inner product.
        scale: f64,
    },
    /// 1 − θ/π, θ the angle between x and x' (Cho and Saul 2009, order 0). With the zero vector θ is π/2.
    ArcCosine0,
    /// |x| |x'| (sin θ + (π − θ) cos θ)/π (Cho and Saul 2009, order 1).
    ArcCosine1,
    /// 1/(1 + γ |x − x'|²): strictly positive definite, and rational.
    Rational {
        /// γ.
        gamma: f64,
    },
    /// <x, x'>.
    Linear,
}

/// A text that is not a kernel.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum KernelError {
    /// There is no kernel of this name.
    #[error(
        "'{0}' is not a kernel; expected gaussian, laplacian, polynomial, arc-cosine-0, arc-cosine-1, rational or linear"
    )]
    Name(String),
    /// The kernel has no such parameter.
    #[error("kernel {kernel} has no parameter '{parameter}'; expected {expected}")]
    Parameter {
        /// Its name.
        kernel: &'static str,
        /// The text that was found.
        parameter: String,
        /// Its parameters.
        expected: &'static str,
    },
    /// A parameter stands there twice.
    #[error("parameter {0} appears twice")]
    Twice(&'static str),
    /// A parameter is missing.
    #[error("kernel {kernel} needs {parameter}, such as {kernel}:{parameter}=0.02")]
    Missing {
        /// Its name.
        kernel: &'static str,
        /// The parameter.
        parameter: &'static str,
    },
    /// A number outside its range.
    #[error("{parameter}={value} is outside its range; expected {expected}")]
    Range {
        /// The parameter.
        parameter: &'static str,
        /// The text that was found.
        value: String,
        /// The range.
        expected: &'static str,
    },
}

/// Range of positive parameters: far from where products overflow or underflow.
const SMALLEST: f64 = 1e-150;
const LARGEST: f64 = 1e150;

impl Kernel {
    /// The largest degree of a polynomial.
    pub const MOST_DEGREE: u32 = 64;

    /// The name, without parameters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Kernel::Gaussian { .. } => "gaussian",
            Kernel::Laplacian { .. } => "laplacian",
            Kernel::Polynomial { .. } => "polynomial",
            Kernel::ArcCosine0 => "arc-cosine-0",
            Kernel::ArcCosine1 => "arc-cosine-1",
            Kernel::Rational { .. } => "rational",
            Kernel::Linear => "linear",
        }
    }

    /// Returns whether the kernel is a function of |x − x'| alone, and strictly positive definite.
    #[must_use]
    pub fn is_radial(&self) -> bool {
        matches!(self, Kernel::Gaussian { .. } | Kernel::Laplacian { .. } | Kernel::Rational { .. })
    }

    /// The largest rank of a matrix of this kernel over points of d coordinates; `None` where there is none.
    #[must_use]
    pub fn largest_rank(&self, d: usize) -> Option<u64> {
        let d = d as u64;
        match *self {
            Kernel::Linear => Some(d),
            Kernel::Polynomial { degree, offset, .. } => {
                // Monomials of this degree in d variables, or with an offset of at most this degree.
                let variables = if offset == 0.0 { d } else { d + 1 };
                let step = |product: u64, k: u64| {
                    product.checked_mul(variables - 1 + k).map(|product| product / k)
                };
                Some((1..=u64::from(degree)).try_fold(1, step).unwrap_or(u64::MAX))
            }
            _ => None,
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`KernelError::Range`].
    pub fn checked(self) -> Result<Kernel, KernelError> {
        let positive = |parameter, x: f64| {
            let expected = "a number from 1e-150 to 1e150";
            match (SMALLEST..=LARGEST).contains(&x) {
                true => Ok(()),
                false => Err(KernelError::Range { parameter, value: x.to_string(), expected }),
            }
        };
        match self {
            Kernel::Gaussian { gamma }
            | Kernel::Laplacian { gamma }
            | Kernel::Rational { gamma } => {
                positive("gamma", gamma)?;
            }
            Kernel::Polynomial { degree, offset, scale } => {
                positive("scale", scale)?;
                if offset != 0.0 {
                    positive("offset", offset)?;
                }
                if !(1..=Kernel::MOST_DEGREE).contains(&degree) {
                    let expected = "a whole number from 1 to 64";
                    let value = degree.to_string();
                    return Err(KernelError::Range { parameter: "degree", value, expected });
                }
            }
            Kernel::ArcCosine0 | Kernel::ArcCosine1 | Kernel::Linear => {}
        }
        Ok(self)
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Kernel::Gaussian { gamma }
            | Kernel::Laplacian { gamma }
            | Kernel::Rational { gamma } => {
                write!(f, ":gamma={gamma}")
            }
            Kernel::Polynomial { degree, offset, scale } => {
                write!(f, ":degree={degree},offset={offset},scale={scale}")
            }
            Kernel::ArcCosine0 | Kernel::ArcCosine1 | Kernel::Linear => Ok(()),
        }
    }
}

impl FromStr for Kernel {
    type Err = KernelError;

    /// A name, and behind a colon its parameters: `gaussian:gamma=0.02`, `polynomial:degree=3,offset=1`. `rational` has
    /// `gamma=1` where it is left out, and `polynomial` has `offset=1,scale=1`.
    fn from_str(text: &str) -> Result<Kernel, KernelError> {
        let (name, parameters) = text.split_once(':').unwrap_or((text, ""));
        type Found = [Option<f64>; 4];
        const NAMES: [&str; 4] = ["gamma", "degree", "offset", "scale"];
        let read =
            |kernel: &'static str, takes: &[usize], expected| -> Result<Found, KernelError> {
                let mut found: Found = [None; 4];
                for part in parameters.split(',').filter(|part| !part.is_empty()) {
                    let (key, value) = part.split_once('=').unwrap_or((part, ""));
                    let at = takes.iter().copied().find(|&at| NAMES[at] == key);
                    let unknown =
                        || KernelError::Parameter { kernel, parameter: key.to_owned(), expected };
                    let at = at.ok_or_else(unknown)?;
                    let wrong = |_| KernelError::Range {
                        parameter: NAMES[at],
                        value: value.to_owned(),
                        expected: "a number",
                    };
                    if found[at].replace(value.parse().map_err(wrong)?).is_some() {
                        return Err(KernelError::Twice(NAMES[at]));
                    }
                }
                Ok(found)
            };
        let width = |kernel: &'static str, default: Option<f64>| {
            let gamma = read(kernel, &[0], "gamma")?[0].or(default);
            gamma.ok_or(KernelError::Missing { kernel, parameter: "gamma" })
        };
        let none = |kernel| read(kernel, &[], "none").map(|_| ());
        let kernel = match name {
            "gaussian" => Kernel::Gaussian { gamma: width("gaussian", None)? },
            "laplacian" => Kernel::Laplacian { gamma: width("laplacian", None)? },
            "rational" => Kernel::Rational { gamma: width("rational", Some(1.0))? },
            "polynomial" => {
                let [_, degree, offset, scale] =
                    read("polynomial", &[1, 2, 3], "degree, offset or scale")?;
                let degree = degree
                    .ok_or(KernelError::Missing { kernel: "polynomial", parameter: "degree" })?;
                let whole = degree.fract() == 0.0 && (1.0..=64.0).contains(&degree);
                let expected = "a whole number from 1 to 64";
                let value = degree.to_string();
                if !whole {
                    return Err(KernelError::Range { parameter: "degree", value, expected });
                }
                let (offset, scale) = (offset.unwrap_or(1.0), scale.unwrap_or(1.0));
                Kernel::Polynomial { degree: degree as u32, offset, scale }
            }
            "arc-cosine-0" => none("arc-cosine-0").map(|()| Kernel::ArcCosine0)?,
            "arc-cosine-1" => none("arc-cosine-1").map(|()| Kernel::ArcCosine1)?,
            "linear" => none("linear").map(|()| Kernel::Linear)?,
            _ => return Err(KernelError::Name(name.to_owned())),
        };
        kernel.checked()
    }
}
