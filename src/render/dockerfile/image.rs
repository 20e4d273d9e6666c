//! The image's one RUN instruction: accounts, packages, and what the image has to lose and to gain before the files come.

use super::run::{Line, Run};
use crate::path::MachinePath;
use crate::plan::{Plan, PlannedPackage, PlannedUser};
use crate::quote::build_shell;
use crate::render::value::octal;

/// Accounts, packages, and what the image has to lose and to gain before the files come.
pub(super) fn image(plan: &Plan) -> Vec<Line> {
    let mut run = Run::default();
    accounts(plan, &mut run);
    packages(plan, &mut run);
    let plain = |path: &MachinePath| {
        path.as_str()
            .is_some_and(|text| !text.chars().any(char::is_control))
    };
    let removals = plan
        .image
        .removals
        .iter()
        .filter(|removal| plain(&removal.path));
    let (emptied, removed): (Vec<_>, Vec<_>) = removals.partition(|removal| removal.content);
    if !removed.is_empty() {
        run.command(Vec::new(), "rm -rf".to_owned());
        for removal in removed {
            run.word(vec![removal.why.clone()], build_shell(&removal.path.text()));
        }
    }
    let emptied = emptied.iter().map(|removal| &removal.path);
    // What the packages put into a volume would be taken for the machine's data.
    let emptied = emptied.chain(
        plan.state
            .volumes
            .iter()
            .filter(|volume| volume.load)
            .map(|volume| &volume.path),
    );
    let emptied: Vec<String> = emptied
        .filter(|path| plain(path))
        .map(|path| build_shell(&path.text()))
        .collect();
    if !emptied.is_empty() {
        run.command(
            vec!["Directories that the packages' scripts fill: the machine's content is the whole of it.".to_owned()],
            "mkdir -p".to_owned(),
        );
        for path in &emptied {
            run.word(Vec::new(), path.clone());
        }
        run.command(Vec::new(), "find".to_owned());
        for path in emptied {
            run.word(Vec::new(), path);
        }
        run.word(Vec::new(), "-mindepth 1 -delete".to_owned());
    }
    for directory in plan
        .image
        .directories
        .iter()
        .filter(|directory| plain(&directory.path))
    {
        let owner = format!("install -d -o {} -g {}", directory.uid, directory.gid);
        run.command(
            Vec::new(),
            format!(
                "{owner} -m {} {}",
                octal(directory.mode),
                build_shell(&directory.path.text())
            ),
        );
    }
    for file in &plan.image.log_files {
        let owner = format!("install -o {} -g {}", file.uid, file.gid);
        run.command(
            Vec::new(),
            format!(
                "{owner} -m {} /dev/null {}",
                octal(file.mode),
                build_shell(&file.path.text())
            ),
        );
    }
    for (path, to) in &plan.image.log_links {
        run.command(
            Vec::new(),
            format!("ln -sf {to} {}", build_shell(&path.text())),
        );
    }
    run.lines()
}

fn accounts(plan: &Plan, run: &mut Run) {
    for name in &plan.image.displaced {
        let why = "This account of the base has a number that the machine gave to somebody else.";
        run.command(
            vec![why.to_owned()],
            format!("userdel {}", build_shell(name)),
        );
    }
    let mut comment = vec![
        "Accounts with the machine's numbers, so that carried data stays readable.".to_owned(),
    ];
    for group in &plan.image.groups {
        run.command(
            std::mem::take(&mut comment),
            format!("groupadd --gid {} {}", group.gid, build_shell(&group.name)),
        );
    }
    for user in &plan.image.users {
        run.command(std::mem::take(&mut comment), account(user, plan));
    }
    for (user, group) in &plan.image.memberships {
        let text = format!(
            "usermod --append --groups {} {}",
            build_shell(group),
            build_shell(user)
        );
        run.command(std::mem::take(&mut comment), text);
    }
}

fn account(user: &PlannedUser, plan: &Plan) -> String {
    let system = if user.uid < 1000 { " --system" } else { "" };
    let twice = plan
        .image
        .users
        .iter()
        .any(|other| other.uid == user.uid && other.name != user.name);
    let twice = if twice { " --non-unique" } else { "" };
    let groups = if user.groups.is_empty() {
        String::new()
    } else {
        format!(" --groups {}", build_shell(&user.groups.join(",")))
    };
    format!(
        "useradd --no-log-init{system}{twice} --uid {} --gid {}{groups} --home-dir {} --no-create-home --shell {} {}",
        user.uid,
        user.gid,
        build_shell(&user.home),
        build_shell(&user.shell),
        build_shell(&user.name)
    )
}

fn packages(plan: &Plan, run: &mut Run) {
    if plan.image.packages.is_empty() {
        return;
    }
    for source in &plan.image.sources {
        let file = "/etc/apt/sources.list.d/machine.list";
        run.command(
            Vec::new(),
            format!("printf '%s\\n' {} >> {file}", build_shell(source)),
        );
    }
    run.command(
        vec!["Maintainer scripts start nothing here.".to_owned()],
        "printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d".to_owned(),
    );
    run.command(Vec::new(), "chmod 0755 /usr/sbin/policy-rc.d".to_owned());
    if !plan.image.package_directories.is_empty() {
        let directories = plan
            .image
            .package_directories
            .iter()
            .map(|path| build_shell(path));
        let directories: Vec<String> = directories.collect();
        run.command(
            vec!["The base leaves out where packages link manual pages.".to_owned()],
            format!("mkdir -p {}", directories.join(" ")),
        );
    }
    run.command(Vec::new(), "apt-get update".to_owned());
    let locale = plan.image.locale.as_deref().and_then(definition);
    let (first, rest): (Vec<_>, Vec<_>) = plan.image.packages.iter().partition(|package| {
        locale.is_some() && Some(&package.name) == plan.image.locale_package.as_ref()
    });
    let mut language = String::new();
    if let Some((input, charset, name)) = locale.filter(|_| !first.is_empty()) {
        install("", &first, run);
        run.command(
            vec![format!("The machine's locale, {name}.")],
            format!(
                "localedef -i {input} -c -f {charset} -A /usr/share/locale/locale.alias {name}"
            ),
        );
        run.command(
            Vec::new(),
            format!("printf 'LANG=%s\\n' {name} > /etc/default/locale"),
        );
        language = format!(" LANG={name}");
    }
    install(&language, &rest, run);
    if let Some(zone) = &plan.image.timezone {
        let zone = build_shell(zone);
        run.command(
            vec!["The machine's time zone.".to_owned()],
            format!("ln -sf /usr/share/zoneinfo/{zone} /etc/localtime"),
        );
        run.command(Vec::new(), format!("printf '%s\\n' {zone} > /etc/timezone"));
    }
    run.command(
        Vec::new(),
        "rm -rf /usr/sbin/policy-rc.d /var/lib/apt/lists/*".to_owned(),
    );
}

fn install(language: &str, packages: &[&PlannedPackage], run: &mut Run) {
    if packages.is_empty() {
        return;
    }
    run.command(
        Vec::new(),
        format!(
            "DEBIAN_FRONTEND=noninteractive{language} apt-get install -y --no-install-recommends"
        ),
    );
    for package in packages {
        let had = match package.version.as_str() {
            "" => "not on the machine".to_owned(),
            version => format!("{version} on the machine"),
        };
        let word = format!("{}={}", package.name, package.pin);
        run.word(
            vec![format!("{}: {had}", package.name)],
            format!("'{word}'"),
        );
    }
}

/// What localedef(1) is told: definition, character set, and the name to make. `None`: every image has it.
fn definition(locale: &str) -> Option<(String, String, String)> {
    let (name, modifier) = locale
        .split_once('@')
        .map_or((locale, String::new()), |(n, m)| (n, format!("@{m}")));
    let (language, charset) = name.split_once('.').unwrap_or((name, "ISO-8859-1"));
    if matches!(language, "C" | "POSIX") {
        return None;
    }
    let charset = if charset.eq_ignore_ascii_case("utf8") {
        "UTF-8"
    } else {
        charset
    };
    Some((
        format!("{language}{modifier}"),
        charset.to_owned(),
        locale.to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_have_a_definition() {
        let found = |locale| definition(locale).map(|(input, charset, _)| (input, charset));
        assert_eq!(found("en_US.UTF-8"), Some(("en_US".into(), "UTF-8".into())));
        assert_eq!(
            found("de_DE.utf8@euro"),
            Some(("de_DE@euro".into(), "UTF-8".into()))
        );
        assert_eq!(found("de_DE"), Some(("de_DE".into(), "ISO-8859-1".into())));
        assert_eq!(found("C.UTF-8"), None);
    }
}
