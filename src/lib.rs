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
//! # The rooms, in the order of the data
//!
//! * [`disk`]: image formats, partition tables, file systems. Knows nothing of the rest and could be published alone.
//! * [`source`]: a directory, an archive or disk images become one `Root`; mounts are joined as the machine's fstab says.
//! * [`walk`], [`path`]: the tree as plain data; links resolve here and nowhere else.
//! * [`detect`]: detectors are shown files and emit facts. `native/` reads formats, `pack/` evaluates products, which are
//!   data under `detectors/`; `engine` reads in rounds, and `follow` says what facts ask for next.
//! * [`fact`]: what was read, with evidence.
//! * [`kernel`]: what programs ask of the kernel, read from their code; what a target gives.
//! * [`workload`]: services as the machine's manager sees them, then the cut into parts that move as one.
//! * [`assess`]: rules, points, verdicts by target; the catalogue is data.
//! * [`plan`]: what each container will be. Dockerfile, compose file and reports read the same plan.
//! * [`render`]: artefacts from typed views and templates, every value quoted by construction.
//! * [`usage`]: where the machine's bytes are, and what of them moves.
//! * [`scan`], [`study`]: the document of a scan, and the right side run in order.
//! * [`cli`], [`commands`], [`ui`], [`exit`], [`error`]: the program around it.
//!
//! # Invariants
//!
//! 1. No detector performs I/O: the core walks, opens, caps and closes; a detector is handed bytes.
//! 2. Nothing of the machine is ever executed, and nothing outside its root is ever read.
//! 3. The machine is hostile: every length is checked before it is used, names are sanitised before a terminal, every value
//!    is quoted by construction in every artefact.
//! 4. What was not examined is part of the answer, never silently good.
//! 5. Output is a function of input: the same bytes on every run, with one thread or sixty-four. No clock, no hash order.
//! 6. A number never stands alone: each score is the sum of named factors, each with rule, points, evidence and remedy.
//! 7. A secret's value never reaches a report, a log, an image layer or a build context: no type right of the detectors
//!    can hold one, and what writes secrets on request reads the machine again.

pub mod assess;
pub mod cli;
pub mod commands;
pub mod detect;
pub mod disk;
pub mod error;
pub mod exit;
pub mod fact;
pub mod kernel;
pub mod path;
pub mod plan;
pub mod render;
pub mod scan;
pub mod source;
pub mod study;
pub mod ui;
pub mod usage;
pub mod walk;
pub mod workload;
