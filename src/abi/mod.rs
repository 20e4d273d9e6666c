//! The kernel's interface by its own names: system calls and capabilities. What programs ask of it is `kernel`'s affair.

pub mod call;
pub mod capability;
