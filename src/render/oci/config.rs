//! An image's configuration (image-spec, config.md), from the plan alone. The health check is Docker's field, which podman reads as well.

use crate::plan::Plan;
use crate::render::value::{environment, working_directory};
use crate::text;
use serde_json::{Map, Value, json};

/// What stands behind an image's numbers: the newest of its files, and the processor.
pub(super) struct Source {
    created: String,
    architecture: String,
    variant: Option<String>,
}

impl Source {
    pub(super) fn new(plan: &Plan) -> Self {
        let lift = plan.image.lift.as_ref();
        let layers = lift.into_iter().flat_map(|lift| &lift.layers);
        let times = layers
            .flat_map(|layer| &layer.entries)
            .map(|entry| entry.mtime);
        let newest = times.filter(|time| *time > 0).max().unwrap_or_default();
        let machine = lift.map_or("", |lift| lift.architecture.as_str());
        let (architecture, variant) = architecture(machine);
        Self {
            created: moment(newest),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
        }
    }

    pub(super) fn platform(&self) -> Value {
        let mut platform = json!({ "architecture": self.architecture, "os": "linux" });
        if let (Some(platform), Some(variant)) = (platform.as_object_mut(), &self.variant) {
            platform.insert("variant".to_owned(), json!(variant));
        }
        platform
    }
}

/// GOARCH and GOARM (go.dev/doc/install/source, "Environment variables") of what machines and packages call it.
fn architecture(machine: &str) -> (&str, Option<&'static str>) {
    match machine {
        "x86_64" | "x86-64" | "" => ("amd64", None),
        "aarch64" => ("arm64", Some("v8")),
        "i386" | "i486" | "i586" | "i686" | "x86" => ("386", None),
        "arm" | "armhf" | "armv7" | "armv7hl" | "armv7l" => ("arm", Some("v7")),
        "armel" | "armv6" | "armv6l" => ("arm", Some("v6")),
        "ppc64el" | "ppc64le" | "powerpc64le" => ("ppc64le", None),
        "s390" => ("s390x", None),
        "riscv" => ("riscv64", None),
        other => (other, None),
    }
}

/// RFC 3339, of seconds since 1970.
fn moment(seconds: i64) -> String {
    let day = text::day(seconds).unwrap_or_else(|| "1970-01-01".to_owned());
    let second = seconds.rem_euclid(86_400);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{day}T{hour:02}:{minute:02}:{:02}Z", second % 60)
}

pub(super) fn annotations(plan: &Plan, source: &Source) -> Value {
    json!({
        "org.opencontainers.image.created": source.created,
        "org.opencontainers.image.title": plan.title,
        "org.opencontainers.image.description": format!("{}, lifted from a machine of {}", plan.title, plan.image.release),
    })
}

/// `diffs` are the digests of the layers' archives, lowest first.
pub(super) fn config(plan: &Plan, source: &Source, diffs: &[&str]) -> Value {
    let history: Vec<Value> = history(plan)
        .into_iter()
        .map(|by| json!({ "created": source.created, "created_by": by }))
        .collect();
    let diffs: Vec<String> = diffs.iter().map(|diff| format!("sha256:{diff}")).collect();
    let mut config = json!({
        "created": source.created,
        "architecture": source.architecture,
        "os": "linux",
        "config": process(plan),
        "rootfs": { "type": "layers", "diff_ids": diffs },
        "history": history,
    });
    if let (Some(config), Some(variant)) = (config.as_object_mut(), &source.variant) {
        config.insert("variant".to_owned(), json!(variant));
    }
    config
}

/// One line a layer.
fn history(plan: &Plan) -> Vec<String> {
    let lift = plan.image.lift.iter();
    let layers = lift.flat_map(|lift| &lift.layers);
    let mut lines: Vec<String> = layers
        .map(|layer| format!("transvase: {} files of the machine's disk", layer.name))
        .collect();
    if plan.process.entrypoint {
        lines.push("transvase: entry point".to_owned());
    }
    lines
}

/// What the Dockerfile's instructions say.
fn process(plan: &Plan) -> Value {
    let process = &plan.process;
    let mut config = Map::new();
    let (held, _) = environment(plan);
    let variables = held.iter();
    let variables: Vec<String> = variables
        .map(|variable| format!("{}={}", variable.name, variable.value))
        .collect();
    config.insert("Env".to_owned(), json!(variables));
    if process.entrypoint {
        config.insert(
            "Entrypoint".to_owned(),
            json!(["/bin/sh", "/entrypoint.sh"]),
        );
    } else if process.uid != 0 {
        let user = format!("{}:{}", process.uid, process.gid);
        config.insert("User".to_owned(), json!(user));
    }
    config.insert("Cmd".to_owned(), json!(process.command.argv));
    if let (Some(directory), _) = working_directory(plan) {
        config.insert("WorkingDir".to_owned(), json!(directory));
    }
    let ports = plan.network.ports.iter();
    let ports: Map<String, Value> = ports
        .map(|port| (format!("{}/{}", port.port, port.protocol), json!({})))
        .collect();
    if !ports.is_empty() {
        config.insert("ExposedPorts".to_owned(), Value::Object(ports));
    }
    let volumes = plan.state.volumes.iter();
    let volumes: Map<String, Value> = volumes
        .map(|volume| (volume.path.text().into_owned(), json!({})))
        .collect();
    if !volumes.is_empty() {
        config.insert("Volumes".to_owned(), Value::Object(volumes));
    }
    config.insert("StopSignal".to_owned(), json!(process.stop_signal));
    if let Some(health) = &process.health {
        // Nanoseconds.
        let nano = |seconds: u32| u64::from(seconds) * 1_000_000_000;
        let mut test = vec!["CMD".to_owned()];
        test.extend(health.command.iter().cloned());
        config.insert(
            "Healthcheck".to_owned(),
            json!({
                "Test": test,
                "Interval": nano(health.interval),
                "Timeout": nano(health.timeout),
                "StartPeriod": nano(health.start_period),
                "Retries": health.retries,
            }),
        );
    }
    Value::Object(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_processors() {
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
        assert_eq!(moment(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(architecture("x86_64"), ("amd64", None));
        assert_eq!(architecture("aarch64"), ("arm64", Some("v8")));
        assert_eq!(architecture("armhf"), ("arm", Some("v7")));
        assert_eq!(architecture("riscv64"), ("riscv64", None));
    }
}
