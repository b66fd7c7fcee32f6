//! SECURITY.md's claims, bound to the tests that it names.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic, and reads the source")]

use std::path::{Path, PathBuf};

const CLAIMS: usize = 10;

#[test]
fn every_claim_is_there_and_every_test_that_it_names_exists() {
    let text = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let claims: Vec<&str> = text.lines().filter(|line| line.starts_with("| S")).collect();
    assert_eq!(claims.len(), CLAIMS);
    for (number, claim) in claims.into_iter().enumerate() {
        let cells: Vec<&str> = claim.trim_matches('|').split('|').map(str::trim).collect();
        let [id, _, state, tests] = cells[..] else { panic!("not four cells: {claim}") };
        assert_eq!(id, format!("S{}", number + 1));
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!state.starts_with("proved") || !names.is_empty(), "{id} is proved, and names no test");
        for name in names {
            assert!(exists(name), "{id} names {name}, which is not there");
        }
    }
}

/// Whether `path::to::test` is a test function: of an integration test, or of a module's unit tests; or a script.
fn exists(name: &str) -> bool {
    let (path, function) = name.rsplit_once("::").unwrap();
    if path == "cmd" {
        return root().join(format!("tests/cmd/{function}.txt")).is_file();
    }
    let inside = path.trim_end_matches("::tests").replace("::", "/");
    let places = [
        format!("tests/{inside}.rs"),
        format!("tests/{inside}/mod.rs"),
        format!("src/{inside}.rs"),
        format!("src/{inside}/mod.rs"),
        format!("src/{inside}/tests.rs"),
    ];
    places.iter().any(|place| holds(&root().join(place), function))
}

fn holds(file: &Path, function: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else { return false };
    text.match_indices(&format!("fn {function}()")).any(|(position, _)| {
        let before = text.get(..position).unwrap();
        before.lines().rev().take(4).any(|line| line.trim() == "#[test]")
    })
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
