//! A file of command-line flags (memcached.conf).

use super::{Reader, words};
use crate::words::flags::read;

pub(super) fn read_file(out: &mut Reader<'_>, text: &str) {
    for (number, line) in (1u32..).zip(text.lines()) {
        for (flag, args) in read(&words(line)) {
            out.setting(&[], &flag, &args, 0, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::shown;
    use crate::fact::Syntax::Flags;

    #[test]
    fn forms() {
        assert_eq!(
            shown(
                Flags,
                "# c\n-d\n-p 11212\n-m64 -l 127.0.0.1\n--bind=0.0.0.0:80 --n -1\n"
            ),
            [
                "-d=@2",
                "-p=11212@3",
                "-m=64@4",
                "-l=127.0.0.1@4",
                "--bind=0.0.0.0:80@5",
                "--n=-1@5"
            ]
        );
    }
}
