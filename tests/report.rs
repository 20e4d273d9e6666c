//! Reports as their readers and their schemas see them: one scan, every format.

#![cfg(test)]

#[path = "report_support/browser.rs"]
mod browser;
mod needs;
mod report_support;

use needs::need;
use report_support::{empty, large, repository, shop};
use std::collections::BTreeSet;
use std::process::{Command, Output};
use transvase::report::{self, Artefact, Artefacts};
use transvase::scan::Scan;

fn transvase(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_transvase"))
        .args(args)
        .current_dir(repository())
        .output()
        .unwrap()
}

#[test]
fn targets_stand_in_the_order_of_places() {
    let page = report::html(&shop(), &Artefacts::default()).unwrap();
    let at = |name: &str| page.find(&format!("<th scope=\"col\">{name}</th>"));
    let found = [
        "docker",
        "rootless-podman",
        "kubernetes-baseline",
        "kubevirt",
    ]
    .map(at);
    assert!(found.iter().all(Option::is_some), "{found:?}");
    assert!(found.is_sorted(), "{found:?}");
}

#[test]
fn a_proof_is_a_section_and_its_differences_are_results() {
    use transvase::proof::{Check, Engine, Kind, Proof, Proven, SCHEMA_VERSION, Tool};
    let mut scan = shop();
    let id = scan.workloads[0].id.clone();
    let check = Check::new(
        Kind::Answer,
        "80/tcp GET h/",
        "200".into(),
        format!("502 {TEXT}"),
    );
    let workload = Proven {
        id: id.clone(),
        checks: vec![check],
        notes: vec![TEXT.into()],
        ..Proven::default()
    };
    let held = Proven {
        id: scan.workloads[1].id.clone(),
        held: true,
        proven: true,
        ..Proven::default()
    };
    let proof = Proof {
        schema_version: SCHEMA_VERSION,
        tool: Tool {
            name: "transvase".into(),
            version: "0".into(),
        },
        engine: Engine {
            name: "podman".into(),
            compose: "podman-compose".into(),
        },
        recorded: true,
        held: false,
        workloads: vec![workload, held],
    };
    assert_eq!(Proof::read(&proof.to_json()).unwrap(), proof);
    transvase::study::prove(&mut scan, proof);
    let certain = |at: usize| scan.workloads[at].assessment.certainty;
    assert_eq!(certain(1), transvase::rule::Certainty::Proven);
    assert_ne!(certain(0), transvase::rule::Certainty::Proven);
    let page = report::html(&scan, &Artefacts::default()).unwrap();
    assert!(page.contains("id=\"proof\"") && !page.contains("<img src=x"));
    let text = report::markdown(&scan).unwrap();
    assert!(
        text.contains("## Started and asked") && text.contains("`- 200`"),
        "{text}"
    );
    let sarif: serde_json::Value = serde_json::from_str(&report::sarif(&scan)).unwrap();
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    let found = results
        .iter()
        .find(|result| result["ruleId"] == "verify/answer")
        .unwrap();
    let rule = &run["tool"]["driver"]["rules"]
        [usize::try_from(found["ruleIndex"].as_u64().unwrap()).unwrap()];
    assert_eq!(rule["id"], "verify/answer");
    // The scan's own document says nothing of it.
    assert!(!scan.to_json().contains("80/tcp GET"));
}

/// Ends what it stands in, turns the direction of writing, and is longer than any line.
const TEXT: &str = concat!(
    "</script><script>alert(1)</script><!--\"'`=&amp;\u{2028}<img src=x onerror=alert(1)>",
    "\u{202e}\u{5e9}\u{5dc}\u{5d5}\u{5dd}\u{2067}",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
);

/// A scan whose every text is an attack.
fn hostile() -> Scan {
    let mut value = serde_json::to_value(shop()).unwrap();
    poison(&mut value, "");
    value["workloads"][0]["id"] = TEXT.into();
    serde_json::from_value(value).unwrap()
}

/// What is written for the shop, once for each workload of the large server.
fn large_files() -> Artefacts {
    let golden = repository().join("tests/golden/shop");
    let models = [
        "jobs-shop",
        "nginx",
        "postgresql-15-main",
        "redis-server",
        "shop",
    ];
    let mut shown = Vec::new();
    for at in 0..40 {
        let model = models[at % models.len()];
        for name in ["README.md", "Dockerfile", "entrypoint.sh"] {
            let path = golden.join("workloads").join(model).join(name);
            let Ok(text) = std::fs::read_to_string(path) else {
                continue;
            };
            let id = format!("service-{at}");
            shown.push(Artefact {
                path: format!("workloads/{id}/{name}"),
                text: text.replace(model, &id),
            });
        }
    }
    Artefacts {
        shown,
        ..Artefacts::default()
    }
}

/// Adds the attack to every text but those that have a few values only, or that name something.
fn poison(value: &mut serde_json::Value, key: &str) {
    const SPARED: [&str; 14] = [
        "certainty",
        "verdict",
        "severity",
        "manager",
        "disposition",
        "state",
        "path",
        "rule",
        "workload",
        "id",
        "pod",
        "needs",
        "executables",
        "target",
    ];
    match value {
        serde_json::Value::Object(fields) => {
            fields
                .iter_mut()
                .for_each(|(key, value)| poison(value, key));
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| poison(item, key)),
        serde_json::Value::String(text) if !SPARED.contains(&key) => text.push_str(TEXT),
        _ => {}
    }
}

#[test]
fn a_page_has_one_script_one_style_and_no_way_out() {
    let page = report::html(&hostile(), &Artefacts::default()).unwrap();
    assert_eq!(
        page.matches("<script").count(),
        2,
        "the data and the script"
    );
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("<img"), "nothing of the machine is markup");
    assert_eq!(page.matches("<style").count(), 1);
    let policy = "default-src &#x27;none&#x27;; script-src &#x27;sha256-";
    assert!(page.contains(policy), "the policy allows two digests");
    assert!(!page.contains("unsafe-inline") && !page.contains("nonce-"));
    // The icon is inside the page; links of rules are shown as text.
    let outside = page.match_indices("=\"http").count();
    assert_eq!(outside, 0, "nothing is loaded and nothing is linked");
    assert!(!page.contains(" style=\"") && !page.contains(" onclick="));
}

#[test]
fn what_is_few_reads_without_a_script() {
    let scan = shop();
    let page = report::html(&scan, &Artefacts::default()).unwrap();
    let text = page.split("<script").next().unwrap();
    for workload in &scan.workloads {
        assert!(
            text.contains(&format!("id=\"w-{}\"", workload.id)),
            "{}",
            workload.id
        );
        let factors = workload.assessment.factors.iter();
        let sum: Vec<String> = factors
            .map(|factor| format!(" − {}", factor.points))
            .collect();
        let sum = format!("100{} &#x3D; {}", sum.concat(), workload.assessment.score);
        assert!(text.contains(&sum), "{}: {sum}", workload.id);
    }
    for concern in &scan.concerns {
        assert!(text.contains(&concern.rule), "{}", concern.rule);
    }
}

#[test]
fn a_large_server_stays_small() {
    let (scan, files) = (large(), large_files());
    let page = report::html(&scan, &files).unwrap();
    println!("{} bytes", page.len());
    assert!(page.len() < 1_250_000, "{} bytes", page.len());
    assert!(
        page.len() > 700_000,
        "it is a large one: {} bytes",
        page.len()
    );
    let again = report::html(&large(), &large_files()).unwrap();
    assert!(page == again, "the same scan is the same page");
}

/// A line without its code spans (CommonMark, section 6.1).
fn without_code(line: &str) -> String {
    let mut rest = line;
    let mut text = String::new();
    while let Some(at) = rest.find('`') {
        let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        text.push_str(&rest[..at]);
        rest = &rest[at + run..];
        if text.ends_with('\\') {
            continue;
        }
        let fence = "`".repeat(run);
        let close = rest
            .match_indices(&fence)
            .map(|(close, _)| close)
            .find(|close| !rest[..*close].ends_with('`') && !rest[close + run..].starts_with('`'));
        rest = close.map_or(rest, |close| &rest[close + run..]);
    }
    text + rest
}

#[test]
fn markdown_has_no_markup_of_the_machines() {
    let text = report::markdown(&hostile()).unwrap();
    for line in text.lines() {
        let prose = without_code(line);
        let tags = prose.match_indices("<s").chain(prose.match_indices("<i"));
        for (at, _) in tags.filter(|(at, _)| !prose[*at..].starts_with("<summary>")) {
            assert!(prose[..at].ends_with('\\'), "{line}");
        }
    }
    let scan = large();
    let long = report::markdown(&scan).unwrap();
    println!("{} bytes", long.len());
    assert!(
        long.len() <= 65_536,
        "a pull request takes it: {}",
        long.len()
    );
    for workload in &scan.workloads {
        assert!(
            long.contains(&format!("## {}:", workload.id)),
            "{}",
            workload.id
        );
    }
    assert_eq!(without_code("a `<i>` b ``c`<i>`` \\`<i>"), "a  b  \\<i>");
}

#[test]
fn bills_of_materials_are_whole_and_the_same_every_time() {
    let scan = shop();
    let bom: serde_json::Value = serde_json::from_str(&report::cyclonedx(&scan)).unwrap();
    let components = bom["components"].as_array().unwrap();
    let purls = components
        .iter()
        .filter(|component| component["purl"].is_string());
    assert_eq!(purls.count(), scan.packages.items.len());
    let mut known: BTreeSet<&str> = components
        .iter()
        .filter_map(|c| c["bom-ref"].as_str())
        .collect();
    assert_eq!(known.len(), components.len(), "references are unique");
    known.insert("machine");
    for dependency in bom["dependencies"].as_array().unwrap() {
        let on = dependency["dependsOn"].as_array().unwrap().iter();
        for reference in on.chain([&dependency["ref"]]) {
            assert!(
                known.contains(reference.as_str().unwrap()),
                "{reference} is no component"
            );
        }
    }
    let packages = components.iter().filter(|c| c["type"] == "library");
    assert!(
        packages
            .clone()
            .all(|c| c["evidence"]["occurrences"][0]["location"] == "/var/lib/dpkg/status")
    );
    assert!(
        bom["serialNumber"]
            .as_str()
            .unwrap()
            .starts_with("urn:uuid:")
    );
    assert_eq!(report::cyclonedx(&scan), report::cyclonedx(&scan));
    let mut other = scan.clone();
    other.tool.version.push('x');
    let serial = |text: &str| {
        serde_json::from_str::<serde_json::Value>(text).unwrap()["serialNumber"].clone()
    };
    assert_ne!(
        serial(&report::cyclonedx(&scan)),
        serial(&report::cyclonedx(&other))
    );
}

#[test]
fn sarif_says_every_concern_once() {
    let scan = large();
    let log: serde_json::Value = serde_json::from_str(&report::sarif(&scan)).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), scan.concerns.len());
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            .as_str()
            .unwrap();
        assert!(!uri.starts_with('/') && !uri.contains(' '), "{uri}");
    }
    let told = run["invocations"][0]["toolExecutionNotifications"]
        .as_array()
        .unwrap();
    assert_eq!(told.len(), scan.coverage.unexamined.len());
}

#[test]
fn tables_have_a_row_for_each() {
    let scan = large();
    let workloads = report::csv_workloads(&scan);
    assert_eq!(workloads.lines().count(), scan.workloads.len() + 1);
    let concerns = report::csv_concerns(&scan);
    assert_eq!(concerns.lines().count(), scan.concerns.len() + 1);
    let fields = |line: &str| line.matches("\",\"").count();
    let header = fields(concerns.lines().next().unwrap());
    assert!(
        concerns
            .lines()
            .all(|line| fields(line) >= header && line.ends_with('"'))
    );
    for line in report::csv_concerns(&hostile())
        .lines()
        .chain(concerns.lines())
    {
        let cells = line.trim_matches('"').split("\",\"");
        assert!(
            cells
                .clone()
                .all(|cell| !cell.starts_with(['=', '+', '-', '@'])),
            "{line}"
        );
    }
}

#[test]
fn every_format_is_written_where_it_is_asked_for() {
    let scratch = tempfile::tempdir().unwrap();
    let scan = scratch.path().join("scan.json");
    let shop = "fixtures/machines/shop/root";
    let done = transvase(&["scan", shop, "-o", scan.to_str().unwrap(), "--quiet"]);
    assert!(done.status.success());
    let formats = [
        "terminal",
        "html",
        "md",
        "json",
        "csv",
        "cyclonedx",
        "sarif",
        "schema",
    ];
    for format in formats {
        let out = scratch.path().join(format);
        let done = transvase(&[
            "report",
            scan.to_str().unwrap(),
            "--format",
            format,
            "-o",
            out.to_str().unwrap(),
        ]);
        assert!(
            done.status.success(),
            "{format}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        assert!(done.stdout.is_empty(), "{format} went to its file");
        let written = std::fs::read(&out).unwrap();
        let shown = transvase(&["report", scan.to_str().unwrap(), "--format", format]);
        assert!(
            shown.stdout == written,
            "{format} on standard output is the same"
        );
    }
    assert!(repository().join("templates/report/page.hbs").exists());
}

#[test]
fn a_saved_scan_shows_the_files_beside_it_or_those_its_plans_tell_of() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("out");
    let shop = "fixtures/machines/shop/root";
    let done = transvase(&["migrate", shop, "-o", out.to_str().unwrap(), "-q"]);
    assert!(done.status.success());
    let files = |scan: &std::path::Path| -> Vec<(String, String)> {
        let done = transvase(&["report", scan.to_str().unwrap(), "--format", "html"]);
        let page = String::from_utf8(done.stdout).unwrap();
        let data = page.split("id=\"data\">").nth(1).unwrap();
        let data = data.split("</script>").next().unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        let text = |number: &serde_json::Value| {
            let number = usize::try_from(number.as_u64().unwrap()).unwrap();
            data["texts"][number].as_str().unwrap().to_owned()
        };
        let file = |file: &serde_json::Value| {
            let lines: Vec<String> = file[1].as_array().unwrap().iter().map(text).collect();
            (file[0].as_str().unwrap().to_owned(), lines.join("\n"))
        };
        data["files"].as_array().unwrap().iter().map(file).collect()
    };
    let beside = files(&out.join("scan.json"));
    let dockerfile = "workloads/nginx/Dockerfile";
    assert!(beside.iter().any(|(path, _)| path == dockerfile));
    for (path, text) in &beside {
        assert_eq!(
            *text,
            std::fs::read_to_string(out.join(path)).unwrap(),
            "{path}"
        );
    }
    // Apart from what was written there are still the plans, which do not know whose the carried files are.
    let alone = scratch.path().join("scan.json");
    std::fs::copy(out.join("scan.json"), &alone).unwrap();
    let planned = files(&alone);
    assert!(
        planned
            .iter()
            .all(|(path, _)| !path.ends_with("Dockerfile"))
    );
    let named = |name: &str| planned.iter().find(|(path, _)| path == name).unwrap();
    for name in ["compose.yaml", "workloads/shop/entrypoint.sh"] {
        let written = std::fs::read_to_string(out.join(name)).unwrap();
        assert_eq!(named(name).1, written, "{name} is what migrate writes");
    }
    // A link beside the scan is not followed, and an id is no way out.
    let mut scan = shop_scan(&out);
    scan["workloads"][0]["id"] = "../../../etc".into();
    std::fs::write(out.join("scan.json"), scan.to_string()).unwrap();
    std::fs::remove_file(out.join(dockerfile)).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", out.join(dockerfile)).unwrap();
    let shown = files(&out.join("scan.json"));
    assert!(
        shown
            .iter()
            .all(|(path, _)| path != dockerfile && !path.contains(".."))
    );
}

#[test]
fn a_saved_scan_is_weighed_for_another_target_as_the_machine_would_be() {
    let shop = "fixtures/machines/shop/root";
    let scratch = tempfile::tempdir().unwrap();
    let saved = scratch.path().join("scan.json");
    let saved = saved.to_str().unwrap();
    assert!(
        transvase(&["scan", shop, "-o", saved, "-q"])
            .status
            .success()
    );
    let json = |source: &str, more: &[&str]| {
        let args = [&["report", source, "--format", "json"], more].concat();
        let done = transvase(&args);
        assert!(done.status.success());
        String::from_utf8(done.stdout).unwrap()
    };
    for target in ["serverless", "kubernetes-restricted", "docker"] {
        let more = ["--target", target];
        assert!(json(saved, &more) == json(shop, &more), "{target}");
    }
    assert_ne!(json(saved, &["--target", "serverless"]), json(saved, &[]));
    assert_eq!(json(saved, &[]), std::fs::read_to_string(saved).unwrap());
}

fn shop_scan(out: &std::path::Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(out.join("scan.json")).unwrap()).unwrap()
}

#[test]
fn a_browser_shows_it_without_an_error_or_a_request() {
    let browser = need!(browser::browser());
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("out");
    // A full server that is always at hand: the one this runs on.
    let done = transvase(&[
        "migrate",
        "/",
        "-o",
        out.to_str().unwrap(),
        "--quiet",
        "--allow-partial",
    ]);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let page = |name: &str, scan: &Scan, files: &Artefacts| {
        let path = scratch.path().join(name);
        std::fs::write(&path, report::html(scan, files).unwrap()).unwrap();
        path
    };
    let none = Artefacts::default();
    browser.check(&[
        out.join("report.html"),
        page("shop.html", &shop(), &none),
        page("large.html", &large(), &large_files()),
        page("hostile.html", &hostile(), &none),
        page("empty.html", &empty(), &none),
    ]);
}

#[test]
fn the_official_schemas_accept_it() {
    let schema = need!(needs::sarif_schema());
    let python = need!(needs::python(&["cyclonedx", "jsonschema"]));
    let scratch = tempfile::tempdir().unwrap();
    for (name, scan) in [("shop", shop()), ("large", large()), ("hostile", hostile())] {
        let bom = scratch.path().join(format!("{name}.cdx.json"));
        let log = scratch.path().join(format!("{name}.sarif"));
        std::fs::write(&bom, report::cyclonedx(&scan)).unwrap();
        std::fs::write(&log, report::sarif(&scan)).unwrap();
        let done = Command::new(&python)
            .arg(repository().join("tests/report_support/schemas.py"))
            .args([&bom, &log])
            .arg(&schema)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{name}: {said}");
    }
}
