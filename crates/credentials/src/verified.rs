//! Values that exist only after a check.

/// A `T` whose signature and rules were checked. Only this crate can make one:
///
/// ```compile_fail,E0624
/// let forged = vouchsafe_credentials::Verified::new("claims nobody signed");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }

    /// The checked value.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// The checked value, without its proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}
