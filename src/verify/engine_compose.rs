//! podman and docker, through what reads compose files for them. Images, containers, networks and volumes have names of
//! this run alone.

use super::Failed;
use super::compose::Compose;
use super::engine::{self, Call, Container, Engine, Stopped, Told, remember, run};
use super::engine_inspect::{bytes, container};
use super::engine_reader::reader;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long programs may take.
pub(super) const SHORT: Duration = Duration::from_mins(1);
const BUILD: Duration = Duration::from_hours(1);

/// An engine with what reads compose files for it.
#[derive(Debug)]
pub struct ComposeEngine {
    /// `podman` or `docker`.
    pub name: &'static str,
    pub reader: Vec<String>,
    project: String,
    directory: PathBuf,
    variables: Vec<(String, String)>,
    build_network: Option<String>,
    /// What is added to the compose file, outside OUT.
    beside: Option<PathBuf>,
    start_limit: Duration,
}

/// A port of loopback that nobody has now.
fn free() -> Option<TcpListener> {
    TcpListener::bind(("127.0.0.1", 0)).ok()
}

impl ComposeEngine {
    /// Looks for an engine and gives all that will be made names of its own.
    pub fn find(
        wanted: Option<&str>,
        out: &Path,
        compose: &Compose,
        build_network: Option<&str>,
        start_limit: Duration,
    ) -> Result<Self, Failed> {
        let (name, reader) = reader(wanted)?;
        let project = format!("transvase-verify-{}", std::process::id());
        let mut variables = vec![
            ("IMAGE_PREFIX".to_owned(), format!("localhost/{project}/")),
            ("IMAGE_TAG".to_owned(), "verify".to_owned()),
        ];
        // All are held until each has one, so that no two are the same.
        let mut held = Vec::new();
        for port in &compose.published {
            let (Some(variable), Some(listener)) = (&port.variable, free()) else {
                continue;
            };
            if let Ok(address) = listener.local_addr() {
                variables.push((variable.clone(), format!("127.0.0.1:{}", address.port())));
            }
            held.push(listener);
        }
        drop(held);
        let mut found = Self {
            name,
            reader,
            project,
            directory: out.to_owned(),
            variables,
            build_network: build_network.map(str::to_owned),
            beside: None,
            start_limit,
        };
        found.beside = found.write_beside(compose)?;
        remember(found.removal(compose));
        Ok(found)
    }

    fn is_podman_compose(&self) -> bool {
        self.reader
            .first()
            .is_some_and(|word| word == "podman-compose")
    }

    /// What the compose file of OUT does not say: the network of builds, where the command line cannot.
    fn write_beside(&self, compose: &Compose) -> Result<Option<PathBuf>, Failed> {
        let Some(network) = self
            .build_network
            .as_ref()
            .filter(|_| !self.is_podman_compose())
        else {
            return Ok(None);
        };
        let mut text = "services:\n".to_owned();
        for service in &compose.services {
            let (service, network) = (crate::quote::yaml(service), crate::quote::yaml(network));
            // Writing to a text cannot fail.
            let _ = write!(text, "  {service}:\n    build:\n      network: {network}\n");
        }
        let path = std::env::temp_dir().join(format!("{}.yaml", self.project));
        let failed =
            |error: std::io::Error| Failed(format!("cannot write {}: {error}", path.display()));
        // One that is there already is somebody else's.
        let mut file = std::fs::File::create_new(&path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        Ok(Some(path))
    }

    fn call(&self, words: Vec<String>, limit: Duration) -> Call {
        Call {
            words,
            directory: self.directory.clone(),
            variables: self.variables.clone(),
            limit,
        }
    }

    fn compose_words(&self, before: &[String], words: &[&str]) -> Vec<String> {
        let mut all = self.reader.clone();
        all.extend(["-p".to_owned(), self.project.clone()]);
        all.extend(["-f".to_owned(), "compose.yaml".to_owned()]);
        if let Some(beside) = &self.beside {
            all.extend(["-f".to_owned(), beside.display().to_string()]);
        }
        all.extend(before.iter().cloned());
        all.extend(words.iter().map(|word| (*word).to_owned()));
        all
    }

    fn engine(&self, words: &[&str], limit: Duration) -> Result<Told, Failed> {
        let words = std::iter::once(self.name).chain(words.iter().copied());
        run(&self.call(words.map(str::to_owned).collect(), limit))
    }

    /// What removes all of it: containers, networks and volumes of the project, then its images.
    fn removal(&self, compose: &Compose) -> Vec<Call> {
        let down = self.compose_words(&[], &["down", "-v", "-t", "1"]);
        let mut calls = vec![self.call(down, BUILD)];
        let mut images = vec![self.name.to_owned(), "rmi".to_owned(), "-f".to_owned()];
        for service in &compose.services {
            images.push(format!("localhost/{}/{service}:verify", self.project));
            images.push(format!("{}_{service}", self.project));
            images.push(format!("{}-{service}", self.project));
        }
        // One at a time: where one is missing, some engines leave the rest.
        for image in images.iter().skip(3) {
            let words = [
                images.get(..3).unwrap_or_default(),
                std::slice::from_ref(image),
            ]
            .concat();
            calls.push(self.call(words, SHORT));
        }
        if let Some(beside) = &self.beside {
            let words = vec![
                "rm".to_owned(),
                "-f".to_owned(),
                beside.display().to_string(),
            ];
            calls.push(self.call(words, SHORT));
        }
        calls
    }
}

/// The last lines of what a program said, made safe for a terminal.
fn last(told: &Told) -> String {
    let text = if told.err.trim().is_empty() {
        &told.out
    } else {
        &told.err
    };
    tail(text, 12)
}

fn tail(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let from = lines.len().saturating_sub(most);
    let lines = lines.iter().skip(from).map(|line| {
        let line: String = line.chars().take(300).collect();
        crate::path::sanitise(&crate::secret::redact_line(&line).text).into_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

impl Engine for ComposeEngine {
    fn build(&self) -> Result<(), Failed> {
        let mut before = Vec::new();
        if let Some(network) = self
            .build_network
            .as_ref()
            .filter(|_| self.is_podman_compose())
        {
            before.push(format!("--podman-build-args=--network={network}"));
        }
        let told = run(&self.call(self.compose_words(&before, &["build"]), BUILD))?;
        if told.ok {
            Ok(())
        } else {
            Err(Failed(last(&told)))
        }
    }

    fn start(&self) -> Result<(), Failed> {
        let words = self.compose_words(&[], &["up", "-d", "--no-build"]);
        let told = run(&self.call(words, self.start_limit))?;
        if told.ok {
            Ok(())
        } else {
            Err(Failed(last(&told)))
        }
    }

    fn ask(&self) -> Result<Vec<Container>, Failed> {
        let label = format!("label=com.docker.compose.project={}", self.project);
        let told = self.engine(&["ps", "-a", "-q", "--no-trunc", "--filter", &label], SHORT)?;
        let ids: Vec<&str> = told.out.split_whitespace().collect();
        if !told.ok || ids.is_empty() {
            return Err(Failed(format!(
                "{} knows no container of {}: {}",
                self.name,
                self.project,
                last(&told)
            )));
        }
        let words = [&["inspect", "--type", "container"], ids.as_slice()].concat();
        let told = self.engine(&words, SHORT)?;
        let read: Value = serde_json::from_str(&told.out)
            .map_err(|error| Failed(format!("{} inspect: {error}", self.name)))?;
        let mut found: Vec<Container> = read
            .as_array()
            .into_iter()
            .flatten()
            .map(container)
            .collect();
        found.sort_by(|a, b| a.service.cmp(&b.service));
        Ok(found)
    }

    fn inside(
        &self,
        container: &Container,
        user: Option<&str>,
        command: &[String],
    ) -> Result<String, Failed> {
        let mut words = vec!["exec"];
        words.extend(user.iter().flat_map(|user| ["--user", *user]));
        words.push(container.id.as_str());
        words.extend(command.iter().map(String::as_str));
        let told = self.engine(&words, SHORT)?;
        if told.ok {
            return Ok(told.out);
        }
        let code = told.code.unwrap_or_default();
        Err(Failed(
            format!("exit {code} {}", last(&told)).trim().to_owned(),
        ))
    }

    fn log(&self, container: &Container) -> String {
        let told = self.engine(&["logs", "--tail", "20", &container.id], SHORT);
        told.map_or_else(|error| error.0, |told| tail(&(told.out + &told.err), 5))
    }

    fn size(&self, image: &str) -> Option<u64> {
        let told = self
            .engine(&["image", "inspect", "--format", "{{.Size}}", image], SHORT)
            .ok()?;
        told.out.trim().parse().ok()
    }

    fn memory(&self, container: &Container) -> Option<u64> {
        let format = "{{.MemUsage}}";
        let told = self
            .engine(
                &["stats", "--no-stream", "--format", format, &container.id],
                SHORT,
            )
            .ok()?;
        bytes(told.out.split('/').next()?.trim())
    }

    fn stop(&self, container: &Container) -> Result<Stopped, Failed> {
        let start = Instant::now();
        // The grace that the compose file gives; hours for a database, of which nobody needs more than some minutes here.
        let told = self.engine(&["stop", "-t", "60", &container.id], Duration::from_mins(3))?;
        let after = start.elapsed();
        if !told.ok {
            return Err(Failed(last(&told)));
        }
        let code = self.engine(
            &["inspect", "--format", "{{.State.ExitCode}}", &container.id],
            SHORT,
        )?;
        Ok(Stopped {
            after,
            killed: code.out.trim() == "137",
        })
    }

    fn remove(&self) {
        engine::remove();
    }
}
