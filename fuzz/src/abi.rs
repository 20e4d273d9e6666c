//! Of the kernel's interface, what facts name.

#[path = "../../src/abi/call.rs"]
pub mod call;
