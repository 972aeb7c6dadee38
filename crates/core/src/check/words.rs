//! Names that the language keeps for itself.

use super::Problems;
use crate::reference::{ROOTS, clip, is_identifier};

/// Words of the expression and template languages. A node or an input of such a name could not be referred to.
const KEYWORDS: &[&str] = &[
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "and",
    "or",
    "not",
    "is",
    "none",
    "None",
    "True",
    "False",
];

/// Whether the name can be used; says what is wrong where it cannot. `what` is `node id` or `input`.
pub fn check_name(name: &str, what: &str, pointer: &str, problems: &mut Problems) -> bool {
    // That a node id must not be empty is said with the form.
    if name.is_empty() && what == "node id" {
        return false;
    }
    if !is_identifier(name) {
        let message = format!("{what} `{}` has to be a letter or `_` followed by letters, digits and `_`", clip(name));
        let fixed = identifier_from(name).map(|fixed| format!("write `{fixed}`"));
        problems.push(crate::problem::Problem::new("invalid_name", pointer, message).suggest(fixed));
        return false;
    }
    if KEYWORDS.contains(&name) {
        problems.add(
            "reserved_name",
            pointer,
            format!("{what} `{name}` is a word of the expression language: choose another name"),
        );
        return false;
    }
    true
}

/// [`check_name`] for inputs, which share their names with the roots of bindings.
pub fn check_input_name(name: &str, pointer: &str, problems: &mut Problems) -> bool {
    if ROOTS.contains(&name) {
        let message = format!("input `{name}` has a name that bindings use for something else: choose another name");
        problems.add("reserved_name", pointer, message);
        return false;
    }
    check_name(name, "input", pointer, problems)
}

/// The name with what is not allowed replaced by underscores.
fn identifier_from(name: &str) -> Option<String> {
    if name.is_empty() || name.len() > 64 || !name.is_ascii() {
        return None;
    }
    let mut fixed: String = name.trim().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if fixed.starts_with(|c: char| c.is_ascii_digit()) {
        fixed.insert(0, '_');
    }
    (is_identifier(&fixed) && !KEYWORDS.contains(&fixed.as_str())).then_some(fixed)
}
