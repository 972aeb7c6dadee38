//! `docs/language.md` shows what the build does.

use super::problems::catalog;
use flowtrace_core::check::check;
use flowtrace_core::check::lint::lint;
use flowtrace_core::template::Template;
use serde_json::json;
use std::collections::BTreeSet;

const DOCUMENTATION: &str = include_str!("../../../../docs/language.md");
const PROBLEMS: &str = include_str!("../fixtures/problems.txt");

/// The blocks between fences of backticks, with the word after the first fence.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let parts: Vec<&str> = DOCUMENTATION.split("```").collect();
    parts.chunks_exact(2).filter_map(|pair| pair[1].split_once('\n')).collect()
}

#[test]
fn its_workflow_is_valid() {
    let (_, document) = blocks().into_iter().find(|(language, text)| *language == "json" && text.contains("\"nodes\"")).unwrap();
    check(document.as_bytes(), &catalog()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(lint(document.as_bytes(), &catalog()), []);
}

#[test]
fn its_template_can_be_compiled() {
    let (_, text) = blocks().into_iter().find(|(language, _)| language.is_empty()).unwrap();
    let template = Template::compile(json!(text), "").unwrap_or_else(|problems| panic!("{problems:#?}"));
    let paths: BTreeSet<String> = template.references().iter().map(|reference| reference.path.to_string()).collect();
    assert_eq!(paths, ["input.tone", "node.review.output", "node.search.output.hits"].map(str::to_owned).into());
}

#[test]
fn it_lists_every_code_of_a_problem() {
    let (_, table) = DOCUMENTATION.split_once("| code |").unwrap();
    let reported = PROBLEMS.split("\n---\n").skip(1).flat_map(|report| report.lines().take_while(|line| !line.is_empty()));
    let codes: BTreeSet<&str> =
        reported.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next()).collect();
    assert!(codes.len() > 20, "{codes:?}");
    let missing: Vec<&&str> = codes.iter().filter(|code| !table.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "not in docs/language.md: {missing:?}");
}

#[test]
fn it_lists_every_code_of_a_warning_and_no_other() {
    const SOURCES: [&str; 7] = [
        include_str!("../../src/check/lint.rs"),
        include_str!("../../src/check/lint/agents.rs"),
        include_str!("../../src/check/lint/caps.rs"),
        include_str!("../../src/check/lint/critics.rs"),
        include_str!("../../src/check/lint/routers.rs"),
        include_str!("../../src/check/lint/spawning.rs"),
        include_str!("../../src/check/lint/tools.rs"),
    ];
    let (_, section) = DOCUMENTATION.split_once("## Warnings").unwrap();
    let documented: BTreeSet<&str> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(code, _)| code).collect();
    for code in &documented {
        assert!(SOURCES.iter().any(|source| source.contains(&format!("\"{code}\""))), "no lint says {code}");
    }
    // What a lint says stands as the second argument of `found.add`, or of `Problem::new` as the first.
    for source in SOURCES {
        for call in source.split("found.add(").skip(1) {
            let code = call.split('"').nth(1).unwrap();
            assert!(documented.contains(code), "docs/language.md lacks the warning {code}");
        }
    }
}
