//! Of the kernel's room, what facts name.

#[path = "../../src/kernel/call.rs"]
pub mod call;
