use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use storage_core::{Error, Result};

/// How hard to compress: a name that every codec with levels understands, or the codec's own number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Level {
    /// The least time.
    Fastest,
    /// The codec's usual balance.
    #[default]
    Default,
    /// Smaller at a few times the default's time.
    Better,
    /// The smallest that still decompresses anywhere.
    Best,
    /// The codec's own number. One that it does not have is refused as `Config`.
    Number(i32),
}

impl Level {
    /// The codec's number: `named` are those of `Fastest`, `Default`, `Better` and `Best`.
    ///
    /// # Errors
    /// `Config` for a number that is not `allowed`.
    pub fn resolve(self, named: [i32; 4], allowed: RangeInclusive<i32>) -> Result<i32> {
        let [fastest, default, better, best] = named;
        match self {
            Self::Fastest => Ok(fastest),
            Self::Default => Ok(default),
            Self::Better => Ok(better),
            Self::Best => Ok(best),
            Self::Number(number) if allowed.contains(&number) => Ok(number),
            Self::Number(number) => Err(Error::config(format!(
                "compression level {number} is not between {} and {}",
                allowed.start(),
                allowed.end()
            ))),
        }
    }
}

impl From<i32> for Level {
    fn from(number: i32) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fastest => f.write_str("fastest"),
            Self::Default => f.write_str("default"),
            Self::Better => f.write_str("better"),
            Self::Best => f.write_str("best"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl FromStr for Level {
    type Err = Error;

    /// Parses a name in lower case or a number.
    ///
    /// # Errors
    /// `Config`, naming the choices.
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "fastest" => Self::Fastest,
            "default" => Self::Default,
            "better" => Self::Better,
            "best" => Self::Best,
            number => Self::Number(number.parse().map_err(|_| {
                Error::config(format!(
                    "a compression level is fastest, default, better, best or a number, not {text:?}"
                ))
            })?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_parses_and_numbers_out_of_range_are_refused() {
        for level in [
            Level::Fastest,
            Level::Default,
            Level::Better,
            Level::Best,
            Level::Number(-3),
        ] {
            assert_eq!(level.to_string().parse::<Level>().unwrap(), level);
        }
        assert!("fast".parse::<Level>().is_err());
        let resolve = |level: Level| level.resolve([1, 6, 8, 9], 0..=9);
        assert_eq!(resolve(Level::Better).unwrap(), 8);
        assert_eq!(resolve(Level::Number(0)).unwrap(), 0);
        assert!(
            resolve(Level::Number(10))
                .unwrap_err()
                .to_string()
                .contains("between 0 and 9")
        );
    }
}
