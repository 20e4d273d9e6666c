use super::*;
use crate::fact::{Masking, UnitEntry};

/// The lines of a file as they are read.
fn managed(path: &str, text: &str) -> Managed {
    let entries = (1u32..).zip(text.lines()).map(|(line, text)| UnitEntry {
        section: String::new(),
        key: "line".to_owned(),
        value: text.to_owned(),
        line,
        secret: false,
        references: BTreeSet::new(),
    });
    Managed {
        path: path.into(),
        dialect: Dialect::Shell,
        entries: entries.collect(),
        includes: Vec::new(),
    }
}

/// A machine with settings, and programs.
fn machine(settings: &[(&str, &str)]) -> Facts {
    let mut facts = Facts {
        masking: Masking::Disclosed,
        ..Facts::default()
    };
    let programs = ["/usr/sbin/d3", "/usr/sbin/d", "/opt/d"];
    let mut entries: Vec<crate::walk::Entry> = programs
        .iter()
        .map(|path| crate::walk::Entry::file(&MachinePath::new(path), 0o755))
        .collect();
    for (path, text) in settings {
        let file = managed(path, text);
        entries.push(crate::walk::Entry::file(&file.path, 0o644));
        facts
            .managed
            .insert((file.path.clone(), Dialect::Shell), file);
    }
    facts.tree = crate::walk::Tree::new(entries);
    facts
}

fn with<'a>(facts: &'a Facts, text: &str) -> Script<'a> {
    let path = MachinePath::new("/etc/init.d/d");
    let mut run = Script::new(facts, &path, vec!["/etc/init.d/d".into(), "start".into()]);
    run.text(&path, text);
    run
}

/// `user: command` of what a script starts.
fn started(settings: &[(&str, &str)], text: &str) -> String {
    let facts = machine(settings);
    let run = with(&facts, text);
    run.best().map_or_else(String::new, |best| {
        let user = best.user.as_deref().unwrap_or("root");
        format!("{user}: {}", best.argv.join(" "))
    })
}

#[test]
fn ways_to_start_a_daemon() {
    for (text, wanted) in [
        (
            "start() {\n daemon /opt/d -a\n}\ncase $1 in start) start;; esac",
            "root: /opt/d -a",
        ),
        (
            "d=${D-/opt/d}\nLANG=C daemon --pidfile=/run/d.pid $d $OPTIONS",
            "root: /opt/d",
        ),
        ("prog=d3\ndaemon $prog -x", "root: /usr/sbin/d3 -x"),
        (
            "exec=/opt/d\n$exec --data=/srv/d >/dev/null 2>&1 &",
            "root: /opt/d --data=/srv/d",
        ),
        (
            "daemon --user acme --pidfile /run/d.pid \"/opt/d -c /etc/d.conf >> /var/log/d.log 2>&1 &\"",
            "acme: /opt/d -c /etc/d.conf",
        ),
        (
            "D=/opt/d\n$D $OPTIONS && success || failure",
            "root: /opt/d",
        ),
        (
            "startproc -f -u wwwrun -p /run/d.pid /opt/d -k start",
            "wwwrun: /opt/d -k start",
        ),
        (
            "/sbin/start-stop-daemon --start --exec /opt/d -- -q",
            "root: /opt/d -q",
        ),
        // Debian's skeleton asks first.
        (
            "DAEMON=/opt/d\nDAEMON_ARGS='-q'\ndo_start() {\n start-stop-daemon --start --quiet --pidfile $P --exec $DAEMON --test > /dev/null || return 1\n\
             start-stop-daemon --start --quiet --chuid d:g --exec $DAEMON -- \\\n  $DAEMON_ARGS || return 2\n}\ncase \"$1\" in\n start) do_start ;;\n stop) do_stop ;;\nesac",
            "d: /opt/d -q",
        ),
        (
            "start-stop-daemon -S -b -m -p /run/d.pid -c app -x /bin/sh -- -c \"exec /opt/d -v >> /var/log/d 2>&1\"",
            "app: /opt/d -v",
        ),
        (
            "su - app -s /bin/bash -c \"cd /opt && nohup /opt/d run >> log 2>&1 &\"",
            "app: /opt/d run",
        ),
        ("runuser -u app -- /opt/d --x", "app: /opt/d --x"),
        (
            "runuser -s /bin/bash app -c 'ulimit -n 5; /opt/d --x'",
            "app: /opt/d --x",
        ),
        ("sudo -u app -H A=1 /opt/d", "app: /opt/d"),
        ("nohup setsid /opt/d a > /dev/null 2>&1 &", "root: /opt/d a"),
        (
            "if checkproc /opt/d; then echo running; else start_daemon -p /run/p /opt/d -D; fi",
            "root: /opt/d -D",
        ),
        (
            "pidof d || /usr/bin/daemon --name=d --user=app --output=/var/log/d -- /opt/d -x",
            "app: /opt/d -x",
        ),
        ("action $\"Starting d: \" /opt/d -D", "root: /opt/d -D"),
        (
            "launch() {\n local what=\"$1\"; shift\n \"$what\" \"$@\" &\n}\nrun_all() { launch /opt/d --one \"two words\"; }\nrun_all",
            "root: /opt/d --one two words",
        ),
        (
            "for i in 1; do\n eval \"/opt/d --id $i &\"\ndone",
            "root: /opt/d --id 1",
        ),
        ("CMD=\"/opt/d -x\"\nsu app -c \"$CMD\" &", "app: /opt/d -x"),
        (
            "opts=(--a --b)\nexec /opt/d \"${opts[@]}\"",
            "root: /opt/d --a --b",
        ),
        ("NAME=`basename $0`\n/opt/$NAME &", "root: /opt/d"),
        (
            "case $1 in\n *start) daemonize -u app -c /srv /opt/d -f ;;\nesac",
            "app: /opt/d -f",
        ),
        ("echo 1 > /proc/x; touch /var/lock/d; mkdir -p /run/d", ""),
        ("start-stop-daemon --stop --exec /opt/d", ""),
    ] {
        assert_eq!(started(&[], text), wanted, "{text}");
    }
}

#[test]
fn settings_are_read_in_where_the_script_does() {
    let settings = [(
        "/etc/sysconfig/d",
        "D_USER=acme\nD_PORT=77 # why\nif [ -z \"$D_HOST\" ]; then D_HOST=a; fi\n",
    )];
    let text = "D_PORT=1\n. /etc/sysconfig/d\nD_USER=${D_USER:-nobody}\ndaemon --user=$D_USER /opt/d -p $D_PORT -h $D_HOST";
    assert_eq!(started(&settings, text), "acme: /opt/d -p 77 -h a");
    assert_eq!(
        started(&[], text),
        "nobody: /opt/d -p 1 -h",
        "what is not there is not read"
    );
}

#[test]
fn conditions_are_those_of_the_disk() {
    let text =
        "if [ -x /opt/none ]; then D=/opt/none; elif test -x /opt/d; then D=/opt/d; fi\n$D &";
    assert_eq!(started(&[], text), "root: /opt/d");
    // Only the run knows: what is known before stays, what is not gets the first.
    let text = "X=a\nif some_command; then X=b; Y=1; else Y=2; fi\n/opt/d $X $Y &";
    assert_eq!(started(&[], text), "root: /opt/d a 1");
    let text = "X=`ask`\n[ -z \"$X\" ] && X=3\n/opt/d $X &";
    assert_eq!(started(&[], text), "root: /opt/d 3");
}

#[test]
fn a_setting_that_says_no_ends_the_script() {
    let facts = machine(&[("/etc/default/d", "ENABLED=0\n")]);
    let text = ". /etc/default/d\n[ \"$ENABLED\" = 1 ] || exit 0\nstart-stop-daemon --start --exec /opt/d\n";
    let run = with(&facts, text);
    assert!(run.best().is_none());
    let ended = run.ended.unwrap();
    assert_eq!(ended.line, Some(2));
    let facts = machine(&[("/etc/default/d", "ENABLED=1\n")]);
    assert!(with(&facts, text).best().is_some());
}

#[test]
fn what_a_function_finds_out_ends_nothing() {
    let facts = machine(&[]);
    let text = "running() { [ -f /etc/none ] && return 0; return 1; }\nR=0\ncheck() { ask || R=3; }\nif running; then exit 0; fi\ncheck\n\
        if [ $R = 0 ]; then echo runs; exit 0; fi\n/opt/d &\n";
    let run = with(&facts, text);
    assert!(run.best().is_some() && run.ended.is_none());
}

#[test]
fn what_a_library_may_have_set_ends_nothing() {
    let mut facts = machine(&[]);
    let library = crate::walk::Entry::file(&"/etc/rc.d/init.d/functions".into(), 0o644);
    let program = crate::walk::Entry::file(&"/opt/d".into(), 0o755);
    facts.tree = crate::walk::Tree::new(vec![library, program]);
    let run = with(
        &facts,
        ". /etc/rc.d/init.d/functions\n[ \"$NETWORKING\" = yes ] || exit 0\n/opt/d &\n",
    );
    assert!(run.best().is_some());
}

#[test]
fn limits_directory_mask_and_environment_go_with_the_program() {
    let facts = machine(&[]);
    let text = "export A=1\nB=2\nexport PATH=/sbin:/bin\nulimit -n 4096\numask 027\ncd /srv/d\nC=3 /opt/d >> out.log 2>&1 &\n";
    let run = with(&facts, text);
    let best = run.best().unwrap();
    let set: Vec<&str> = best
        .environment
        .variables
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(set, ["A", "C"]);
    assert_eq!(
        (&*best.limits[0].name, &*best.limits[0].value),
        ("NOFILE", "4096")
    );
    assert_eq!(
        (best.umask, best.directory.clone()),
        (Some(0o27), Some("/srv/d".into()))
    );
    assert_eq!(best.output, ["/srv/d/out.log".into()]);
    assert_eq!(best.evidence.line, Some(7));
    assert!(best.is_put_behind);
}

#[test]
fn other_services_are_asked_for() {
    let facts = machine(&[]);
    let run = with(
        &facts,
        "for i in 1 2; do start worker N=$i; done\nservice b start\n/etc/init.d/c start\n",
    );
    let asked: Vec<String> = run
        .asked
        .iter()
        .map(|asked| format!("{} {:?}", asked.name, asked.variables))
        .collect();
    assert_eq!(
        asked,
        [
            "worker [(\"N\", \"1\")]",
            "worker [(\"N\", \"2\")]",
            "b []",
            "c []"
        ]
    );
}

#[test]
fn what_calls_itself_ends() {
    let facts = machine(&[("/etc/default/d", ". /etc/default/d\n")]);
    for text in [
        "f() { f; f; }\nf\n",
        "A=x\nwhile true; do A=$A$A; done\nfor i in 1 2 3; do A=$A$A$A$A; A=$A$A$A$A; done\n/opt/d $A &",
        ". /etc/default/d\n",
        "eval 'eval \"eval $0\"'\n",
    ] {
        let _ = with(&facts, text);
    }
    let deep = format!(
        "{}/opt/d{}",
        "if true; then ".repeat(500),
        "; fi".repeat(500)
    );
    let _ = with(&facts, &deep);
}

proptest::proptest! {
    #[test]
    fn any_script_survives(text in "(?s)[ -~\n\t]{0,300}") {
        let facts = machine(&[]);
        let _ = with(&facts, &text);
    }

    #[test]
    fn any_words_of_the_language_survive(words in proptest::collection::vec(
        proptest::sample::select(vec![
            "if", "then", "fi", "else", "case", "in", "esac", "a)", ";;", "{", "}", "(", ")", "&&", "||", "|", "&", "\n", "$(", "`",
            "${A", "}", "\"", "'", "f()", "for", "do", "done", "su", "-c", "daemon", "start-stop-daemon", "--start", "--exec", "exec", "eval",
            "/opt/d", "A=$A$A", "[", "]", "!", "-z", "<<E", "E", "while", "$1", "${A%%*}", "${A:-", "\\",
        ]), 0..60)
    ) {
        let facts = machine(&[]);
        let _ = with(&facts, &words.join(" "));
    }
}
