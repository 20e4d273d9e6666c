//! transvase opens the disk of a virtual machine, finds the applications in it, says which of them a container can carry
//! and what stands in the way, and writes the containers.
//!
//! ```text
//! source ─▶ root ─▶ walk ─▶ detect ─▶ facts ─▶ workloads ─▶ assess ─▶ plan ─▶ render ─▶ artefacts
//!  open      mount   one      parallel   plain    graph cut    rules     IR     templates
//!  & read    by its  metadata each file  data     into         with      all    typed views
//!  in place  fstab   pass     read once  +evidence components  points    share
//! ```
//!
//! Left of *facts* everything touches the machine and may meet damage; right of *facts* everything is a pure function,
//! cannot fail on the machine's content, and is tested by value.
//!
//! # The rooms, from the ground up
//!
//! A room imports from rooms below it only; `tests/tidy.rs` holds that.
//!
//! * [`exit`], [`path`], [`text`], [`words`], [`abi`], [`quote`], [`progress`]: the ground. Command lines and addresses, the
//!   kernel's names, quoting of every format.
//! * [`disk`]: image formats, partition tables, file systems. Knows nothing of the rest and could be published alone.
//! * [`walk`]: the tree as plain data; links resolve here and nowhere else.
//! * [`secret`]: what is a secret, and the mask in its place.
//! * [`fact`]: what was read, with evidence.
//! * [`answer`]: what a person answered to the program's questions.
//! * [`source`]: a directory, an archive or disk images become one `Root`; mounts are joined as the machine's fstab says.
//! * [`code`]: machine code. [`program`]: what a command line runs, and what that loads.
//! * [`service`]: services and jobs as the machine's managers see them. [`rule`]: rules and concerns, in the catalogue's words.
//! * [`detect`]: detectors are shown files and emit facts; `native/` reads formats, `engine` reads in rounds.
//! * [`kernel`]: what programs ask of the kernel, and what places give. [`distribution`]: releases, images, packages, lifetimes.
//! * [`product`]: what packs, which are data under `detectors/`, say of a service.
//! * [`workload`]: the cut into parts that move as one.
//! * [`plan`]: what each container will be. Dockerfile, compose file and reports read the same plan.
//! * [`assess`]: rules, points, verdicts by target. [`render`]: artefacts, every value quoted by construction.
//! * [`scan`]: the document of a scan. [`study`]: the right side run in order. [`report`]: a scan as people and tools read it.
//! * [`proof`]: what came of starting the containers, as types. [`verify`]: asks the running machine and its containers.
//! * [`cli`], [`error`], [`ui`]: the command line, its errors, the terminal.
//! * [`examine`]: the only room that knows engine, packs, workloads and plans together; says what is read next.
//! * [`commands`]: one file a subcommand.
//!
//! # Invariants
//!
//! 1. No detector performs I/O: the core walks, opens, caps and closes; a detector is handed bytes.
//! 2. Nothing of the machine is ever executed, and nothing outside its root is ever read. `verify` starts its containers, for
//!    that is what it is asked for.
//! 3. The machine is hostile: every length is checked before it is used, names are sanitised before a terminal, every value
//!    is quoted by construction in every artefact.
//! 4. What was not examined is part of the answer, never silently good.
//! 5. Output is a function of input: the same bytes on every run, with one thread or sixty-four. No clock, no hash order.
//! 6. A number never stands alone: each score is the sum of named factors, each with rule, points, evidence and remedy.
//! 7. A secret's value never reaches a report, a log, an image layer or a build context: no type right of the detectors
//!    can hold one, and what writes secrets on request reads the machine again.

pub mod abi;
pub mod answer;
pub mod assess;
pub mod cli;
pub mod code;
pub mod commands;
pub mod detect;
pub mod disk;
pub mod distribution;
pub mod error;
pub mod examine;
pub mod exit;
pub mod fact;
pub mod kernel;
pub mod path;
pub mod plan;
pub mod product;
pub mod program;
pub mod progress;
pub mod proof;
pub mod quote;
pub mod render;
pub mod report;
pub mod rule;
pub mod scan;
pub mod secret;
pub mod service;
pub mod source;
pub mod study;
pub mod text;
pub mod ui;
pub mod verify;
pub mod walk;
pub mod words;
pub mod workload;
