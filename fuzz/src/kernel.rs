//! Of the kernel's room, what facts name.

#[path = "../../src/abi/call.rs"]
pub mod call;
