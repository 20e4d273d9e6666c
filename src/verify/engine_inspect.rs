//! What engines say of a container, with podman and with docker.

use super::engine::Container;
use serde_json::Value;

/// `12.5MB`, `12.5MiB`, `900kB`.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(at)?;
    let whole: f64 = number.trim().parse().ok()?;
    let factor = match unit {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        _ => return None,
    };
    let bytes = whole * factor;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked on the line"
    )]
    (bytes.is_finite() && (0.0..1e18).contains(&bytes)).then_some(bytes as u64)
}

/// A container as `inspect` has it, with podman and with docker.
pub(super) fn container(value: &Value) -> Container {
    let text = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let number = |pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    };
    let labels = value.pointer("/Config/Labels");
    let label = |name: &str| {
        labels
            .and_then(|labels| labels.get(name))
            .and_then(Value::as_str)
    };
    let ports = value
        .pointer("/NetworkSettings/Ports")
        .and_then(Value::as_object);
    let mut found = Vec::new();
    for (inside, outside) in ports.into_iter().flatten() {
        let first = outside.as_array().and_then(|list| list.first());
        let port = first
            .and_then(|first| first.get("HostPort"))
            .and_then(Value::as_str);
        if let Some(port) = port.and_then(|port| port.parse().ok()) {
            found.push((inside.clone(), port));
        }
    }
    Container {
        id: text("/Id"),
        service: label("com.docker.compose.service")
            .unwrap_or_default()
            .to_owned(),
        running: value
            .pointer("/State/Running")
            .and_then(Value::as_bool)
            .unwrap_or_default(),
        exit_code: value
            .pointer("/State/ExitCode")
            .and_then(Value::as_i64)
            .unwrap_or_default(),
        restarts: number("/RestartCount"),
        pid: u32::try_from(number("/State/Pid")).unwrap_or_default(),
        image: text("/Image"),
        ports: found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_engines() {
        assert_eq!(bytes("12.5MB"), Some(12_500_000));
        assert_eq!(bytes("1.5MiB"), Some(1_572_864));
        for wrong in ["", "MB", "x MB", "1XB", "-1MB", "infB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_container_of_either_engine() {
        let value = serde_json::json!({
            "Id": "a", "Image": "sha256:b", "RestartCount": 2,
            "State": {"Running": true, "Pid": 77, "ExitCode": 0},
            "Config": {"Labels": {"com.docker.compose.service": "web"}},
            "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "4001"}], "81/tcp": null}},
        });
        let read = container(&value);
        assert_eq!(
            (read.service.as_str(), read.pid, read.restarts, read.running),
            ("web", 77, 2, true)
        );
        assert_eq!(read.ports, [("80/tcp".to_owned(), 4001)]);
        assert_eq!(container(&Value::Null), Container::default());
    }
}
