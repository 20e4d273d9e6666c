//! Columns parted by white space: fstab, hosts, exports, limits, modules. The first is the key.

use super::{Reader, words};

pub(super) fn read(out: &mut Reader<'_>, text: &str) {
    for (number, line) in (1u32..).zip(text.lines()) {
        let parts = words(line);
        if let Some((key, args)) = parts.split_first() {
            out.setting(&[], key, args, 0, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::native::syntax::tests::shown;
    use crate::fact::Syntax::Columns;

    #[test]
    fn fstab() {
        assert_eq!(
            shown(
                Columns,
                "# c\nUUID=1 / ext4 defaults 0 1\n\n10.0.0.9 nas # x\n"
            ),
            ["UUID=1=/,ext4,defaults,0,1@2", "10.0.0.9=nas@4"]
        );
    }
}
