//! A change of a file in the form of `diff -u`.

use similar::TextDiff;

/// Unchanged lines shown around a change.
const AROUND: usize = 3;

/// The change; a file that isn't there is `/dev/null`.
pub(super) fn unified(path: &str, before: Option<&str>, after: Option<&str>) -> String {
    const NOWHERE: &str = "/dev/null";
    let named = |text: Option<&str>| if text.is_some() { path } else { NOWHERE }.to_owned();
    let diff = TextDiff::from_lines(before.unwrap_or_default(), after.unwrap_or_default());
    diff.unified_diff().context_radius(AROUND).header(&named(before), &named(after)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diff_of_changed_new_and_removed_files() {
        assert_eq!(
            unified("f", Some("a\nb\n"), Some("a\nc\n")),
            "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
        );
        assert_eq!(unified("f", None, Some("a\n")), "--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+a\n");
        assert_eq!(unified("f", Some("a\n"), None), "--- f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
    }
}
