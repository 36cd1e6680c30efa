//! Sets an item of the list `models` in YAML as people write it: the lines of that item change, no others.

use super::Unreadable;

/// Puts an item at the head of the list `models`, in place of an earlier one of the same name. The item is written without
/// indentation: `- name: NAME`, then its other lines. A list in brackets is left alone, unless it is empty.
pub(super) fn with_first(before: &str, item: &str) -> Result<String, Unreadable> {
    let lines: Vec<&str> = before.split_inclusive('\n').collect();
    let end = if before.contains("\r\n") { "\r\n" } else { "\n" };
    let Some(key) = lines.iter().position(|line| line.starts_with("models:")) else {
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { end };
        return Ok(format!("{before}{gap}models:{end}{}", indented(item, 2, end)));
    };
    let (head, rest) = lines.split_at(key + 1);
    let value = head.last().and_then(|line| line.strip_prefix("models:")).unwrap_or_default();
    let value = value.split(" #").next().unwrap_or_default().trim();
    let mut head: String = head.concat();
    match value {
        "" => {}
        "[]" => {
            let start = head.rfind("models:").unwrap_or_default();
            head.truncate(start);
            head.extend(["models:", end]);
        }
        _ => {
            return Err(Unreadable("its `models` are a list in brackets, which is not extended here".into()));
        }
    }
    if !head.ends_with('\n') {
        head += end;
    }
    // The list ends with the first line that is not indented, unless that is an item, which YAML allows there.
    let is_in_list = |line: &&str| {
        let text = line.trim_end();
        text.is_empty() || text.starts_with([' ', '-', '#'])
    };
    let length = rest.iter().take_while(|line| is_in_list(line)).count();
    let (list, tail) = rest.split_at(length);
    let width =
        list.iter().find(|line| line.trim_start().starts_with("- ")).map_or(2, |line| indentation(line));
    let name = item.lines().next().unwrap_or_default();
    let ours = list.iter().position(|line| indentation(line) == width && line.trim() == name);
    let item = indented(item, width, end);
    let Some(ours) = ours else { return Ok(format!("{head}{item}{}{}", list.concat(), tail.concat())) };
    let (before_it, from_it) = list.split_at(ours);
    let (first, others) = from_it.split_first().unwrap_or((&"", &[]));
    let is_part = |line: &&&str| !line.trim().is_empty() && indentation(line) > width;
    let behind = others.iter().take_while(is_part).count();
    let old: String = [first].into_iter().chain(others.iter().take(behind)).copied().collect();
    // An item that is there already stays where it is.
    let item = if old.trim_end() == item.trim_end() { old } else { item };
    let behind: String = others.iter().skip(behind).copied().collect();
    Ok(format!("{head}{}{item}{behind}{}", before_it.concat(), tail.concat()))
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn indented(item: &str, width: usize, end: &str) -> String {
    item.lines().fold(String::new(), |text, line| text + &" ".repeat(width) + line + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: &str = "- name: A\n  model: a\n";

    #[test]
    fn item_goes_to_the_head_of_the_list_and_all_else_stays() {
        for (before, after) in [
            ("", "models:\n  - name: A\n    model: a\n"),
            ("name: x", "name: x\nmodels:\n  - name: A\n    model: a\n"),
            ("models: []\nrules: []\n", "models:\n  - name: A\n    model: a\nrules: []\n"),
            ("models:\n- name: B\nrules: []\n", "models:\n- name: A\n  model: a\n- name: B\nrules: []\n"),
            (
                "# Mine.\r\nmodels: # all\r\n    - name: B # b\r\n\r\nx: 1\r\n",
                "# Mine.\r\nmodels: # all\r\n    - name: A\r\n      model: a\r\n    - name: B # b\r\n\r\nx: 1\r\n",
            ),
        ] {
            assert_eq!(with_first(before, ITEM).as_deref(), Ok(after));
            assert_eq!(with_first(after, ITEM).as_deref(), Ok(after));
        }
    }

    #[test]
    fn item_of_the_same_name_is_replaced_in_place() {
        let before = "models:\n  - name: B\n  - name: A\n    model: old\n    more: 1\n\n  - name: C\nx: 1\n";
        let after = "models:\n  - name: B\n  - name: A\n    model: a\n\n  - name: C\nx: 1\n";
        assert_eq!(with_first(before, ITEM).as_deref(), Ok(after));
    }

    #[test]
    fn list_in_brackets_is_left_alone() {
        assert!(with_first("models: [{ name: B }]\n", ITEM).is_err());
    }
}
