//! The code of executables and libraries: what each function reaches of the kernel, read once per file.

use super::elf;
use crate::code;
use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::Fact;
use goblin::elf::header::{ET_DYN, ET_EXEC};

/// Asked for the programs of workloads and everything these load.
pub struct MachineCode;

impl MachineCode {
    pub const ID: &str = "exec/code";
}

impl Detector for MachineCode {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "What machine code asks of the kernel",
            recognises: "functions, who calls whom, whose address is taken, and where the kernel is entered with which number",
            why: "a container shares the host's kernel: what a program can ask of it decides whether it can move and what it must be allowed",
            cannot_see: "code made at run time (just-in-time compilers), code that is packed or encrypted",
            references: &[
                "System V ABI, AMD64 supplement",
                "ELF for the Arm 64-bit architecture",
                "syscall(2)",
                "ld.so(8)",
            ],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: 256 << 20,
            total: 1 << 30,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        if !file.bytes.starts_with(b"\x7fELF") {
            return;
        }
        let parsed = elf::parse(file.bytes);
        let code = parsed.and_then(|elf| match elf.header.e_type {
            ET_EXEC | ET_DYN => code::read(&file.entry.path, &elf, file.bytes).map(Some),
            _ => Ok(None),
        });
        match code {
            Ok(Some(code)) => {
                if code.gaps.iter().any(|gap| gap.reason == code::SPENT) {
                    sink.unexamined(file.path, Self::ID, code::SPENT);
                }
                sink.fact(Fact::Code(Box::new(code)));
            }
            Ok(None) => {}
            Err(reason) => sink.unexamined(file.path, Self::ID, reason),
        }
    }
}
