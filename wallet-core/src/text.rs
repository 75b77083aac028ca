//! Text that came from somebody else, made safe to show.

pub use vouchsafe_credentials::text::PlainText;
