//! The request field `models`: models that are asked in their order where an earlier one can't respond. It is OpenRouter's
//! field, the same in every dialect here.

use crate::failure::Failure;

/// Most names that a request may list; each one is resolved, and asked if the ones before it fail.
const MAX_NAMES: usize = 16;

/// Checks the names of a list.
pub fn read(names: Option<Vec<String>>) -> Result<Option<Vec<String>>, Failure> {
    let Some(list) = &names else { return Ok(None) };
    if list.len() > MAX_NAMES {
        return Err(Failure::invalid(
            "models",
            format!("{} names, at most {MAX_NAMES} are accepted", list.len()),
        ));
    }
    match list.iter().position(|name| name.trim().is_empty()) {
        Some(index) => {
            Err(Failure::invalid(format!("models[{index}]"), "empty, expected the name of a model"))
        }
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let read = |names: &[&str]| read(Some(names.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(read(&["a", "b"]).unwrap().unwrap(), ["a", "b"]);
        assert_eq!(read(&[]), Ok(Some(vec![])));
        let message = |names: &[&str]| read(names).unwrap_err().to_string();
        assert_eq!(message(&["a", " "]), "models[1]: empty, expected the name of a model");
        assert_eq!(message(&["a"; 17]), "models: 17 names, at most 16 are accepted");
    }
}
