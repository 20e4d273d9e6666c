//! What several families have in common.

pub(super) mod key;
pub mod locale;
pub(super) mod rpm;
pub(super) mod shadow;
