//! The user's container engine: what a proof needs of it, the programs it consists of, and their end when we end.
//!
//! Programs run in groups of their own, so that a signal to this program does not end one half-way: [`abandon`] ends it and
//! removes what was made.

use super::Failed;
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A container of the project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    /// Its service in the compose file.
    pub service: String,
    pub running: bool,
    pub exit_code: i64,
    pub restarts: u64,
    /// Of its first process, on the engine's machine; 0 where it does not run.
    pub pid: u32,
    /// The image by its id.
    pub image: String,
    /// Ports of the container and of loopback that lead there: `8080/tcp`.
    pub ports: Vec<(String, u16)>,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    pub after: Duration,
    /// The signal did not end it.
    pub killed: bool,
}

/// What a proof asks of an engine. Each makes, sees and removes only what is of its own project.
pub trait Engine {
    /// Builds every image; the last lines of what was said where it fails.
    fn build(&self) -> Result<(), Failed>;
    /// Starts every container.
    fn start(&self) -> Result<(), Failed>;
    /// The containers as they are now.
    fn ask(&self) -> Result<Vec<Container>, Failed>;
    /// Runs a command in one; as the container's own user, if none is given.
    fn inside(
        &self,
        container: &Container,
        user: Option<&str>,
        command: &[String],
    ) -> Result<String, Failed>;
    /// The last lines that one wrote.
    fn log(&self, container: &Container) -> String;
    /// Bytes of an image.
    fn size(&self, image: &str) -> Option<u64>;
    /// Bytes of memory that a container uses.
    fn memory(&self, container: &Container) -> Option<u64>;
    /// Sends one its stop signal and waits as long as it is given.
    fn stop(&self, container: &Container) -> Result<Stopped, Failed>;
    /// Removes all of it.
    fn remove(&self);
}

/// A program with its arguments, and where it runs.
#[derive(Debug, Clone)]
pub struct Call {
    pub words: Vec<String>,
    pub directory: PathBuf,
    pub variables: Vec<(String, String)>,
    pub limit: Duration,
}

/// What a program said.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub ok: bool,
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The most that is kept of what a program says.
const MOST: u64 = 4 << 20;

/// The signal thread is at work: nothing new is started.
static ENDING: AtomicBool = AtomicBool::new(false);

/// The program that runs, and what removes everything that was made.
static OPEN: Mutex<Open> = Mutex::new(Open {
    running: None,
    removal: Vec::new(),
});

struct Open {
    running: Option<Pid>,
    removal: Vec<Call>,
}

/// A program on the PATH.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join(name));
    found.find(|path| path.is_file())
}

/// Runs a program to its end, or until its time is over.
pub fn run(call: &Call) -> Result<Told, Failed> {
    run_as(call, false)
}

fn run_as(call: &Call, removes: bool) -> Result<Told, Failed> {
    let shown = call.words.join(" ");
    let failed = |error: &dyn std::fmt::Display| Failed(format!("{shown}: {error}"));
    let (first, rest) = call
        .words
        .split_first()
        .ok_or_else(|| failed(&"no program"))?;
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if is_ending() && !removes {
        return Err(Failed("interrupted".to_owned()));
    }
    let mut child = Command::new(first)
        .args(rest)
        .current_dir(&call.directory)
        .envs(call.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| failed(&error))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if !removes {
        open.running = pid;
    }
    drop(open);
    let out = child.stdout.take().map(reader);
    let err = child.stderr.take().map(reader);
    let start = Instant::now();
    let mut wait = Duration::from_millis(5);
    let status = loop {
        match child.try_wait().map_err(|error| failed(&error))? {
            Some(status) => break Some(status),
            None if start.elapsed() > call.limit => {
                if let Some(pid) = pid {
                    // It may end by itself just now.
                    let _ = kill_process_group(pid, Signal::KILL);
                }
                let _ = child.wait();
                break None;
            }
            None => {
                std::thread::sleep(wait);
                wait = (wait * 2).min(Duration::from_millis(100));
            }
        }
    };
    if !removes {
        OPEN.lock().unwrap_or_else(PoisonError::into_inner).running = None;
    }
    let text = |thread: Option<std::thread::JoinHandle<Vec<u8>>>| {
        let bytes = thread
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    if status.is_none() {
        let seconds = call.limit.as_secs();
        return Err(failed(&format_args!("not done after {seconds} s")));
    }
    Ok(Told {
        ok: status.is_some_and(|status| status.success()),
        code: status.and_then(|status| status.code()),
        out: text(out),
        err: text(err),
    })
}

/// Whether a signal ends the program: what fails now fails because of it, and says nothing of containers.
pub fn is_ending() -> bool {
    ENDING.load(Ordering::SeqCst)
}

/// Reads to the end, and keeps the first part.
fn reader(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        // What is left unread would stop the program.
        let _ = pipe.by_ref().take(MOST).read_to_end(&mut kept);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        kept
    })
}

/// Says what has to be done to remove all that is made from now on.
pub fn remember(removal: Vec<Call>) {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).removal = removal;
}

/// Removes what was made.
pub fn remove() {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let removal = std::mem::take(&mut open.removal);
    drop(open);
    removed(&removal);
}

fn removed(removal: &[Call]) {
    for call in removal {
        // What is gone already is no failure, and the rest goes all the same.
        let _ = run_as(call, true);
    }
}

/// Ends what runs and removes what was made; nothing can be started afterwards.
pub fn abandon() {
    ENDING.store(true, Ordering::SeqCst);
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let removal = std::mem::take(&mut open.removal);
    if let Some(pid) = open.running.take() {
        // A build that is ended by SIGTERM removes its own leftovers.
        let _ = kill_process_group(pid, Signal::TERM);
        drop(open);
        if !removal.is_empty() {
            std::thread::sleep(Duration::from_millis(500));
            let _ = kill_process_group(pid, Signal::KILL);
        }
    } else {
        drop(open);
    }
    removed(&removal);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(script: &str, limit: u64) -> Call {
        Call {
            words: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            directory: "/".into(),
            variables: vec![("GIVEN".into(), "x".into())],
            limit: Duration::from_millis(limit),
        }
    }

    #[test]
    fn programs_end_and_are_heard() {
        let told = run(&call("echo $GIVEN; echo e >&2; exit 3", 10_000)).unwrap();
        assert_eq!(
            (told.ok, told.code, told.out.as_str(), told.err.as_str()),
            (false, Some(3), "x\n", "e\n")
        );
        assert!(
            run(&call("yes | head -c 9000000", 10_000))
                .unwrap()
                .out
                .len() as u64
                <= MOST
        );
        let late = run(&call("sleep 60", 100)).unwrap_err();
        assert!(late.0.contains("not done"), "{late}");
    }
}
