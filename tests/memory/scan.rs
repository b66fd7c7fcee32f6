//! Reads every readable page of a process, as root, and counts the copies of secrets in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt;

use aho_corasick::AhoCorasick;
use nix::unistd::Pid;

use super::canaries::{Canaries, WINDOW, forms};

/// A search for many secrets at once.
pub struct Scanner {
    names: Vec<String>,
    engine: AhoCorasick,
    patterns: Vec<Pattern>,
    windows: Vec<usize>,
}

enum Pattern {
    /// Eight bytes of a secret, and where in it.
    Window { canary: usize, offset: usize },
    /// All of it in another form.
    Form { canary: usize, name: &'static str },
}

/// What a search has found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub full: Vec<Copy>,
    pub partial: Vec<Copy>,
    pub bytes: usize,
}

/// One copy of a secret, whole or at least eight bytes of it.
#[derive(Clone, Debug)]
pub struct Copy {
    pub secret: String,
    pub form: &'static str,
    pub place: String,
    pub length: usize,
}

impl Found {
    /// How many secrets are there in full.
    pub fn distinct(&self) -> usize {
        self.full.iter().map(|copy| copy.secret.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// Each secret that was found, how often, in what form and where: for a failure's message.
    pub fn details(&self) -> Vec<String> {
        let mut counts: BTreeMap<(&str, &str, &str, usize), usize> = BTreeMap::new();
        for copy in self.full.iter().chain(&self.partial) {
            *counts.entry((&copy.secret, copy.form, &copy.place, copy.length)).or_default() += 1;
        }
        let line = |((secret, form, place, length), count)| {
            format!("{count} × {secret}: {form}, {length} B in {place}")
        };
        counts.into_iter().map(line).collect()
    }

    /// How many whole copies there are of the secret that has most, of those whose names begin with `kind`.
    pub fn most_of_one(&self, kind: &str) -> (usize, &str) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for copy in self.full.iter().filter(|copy| copy.secret.starts_with(kind)) {
            *counts.entry(&copy.secret).or_default() += 1;
        }
        counts.into_iter().map(|(name, count)| (count, name)).max().unwrap_or_default()
    }

    /// Copies by place: whole, then `+` pieces.
    pub fn places(&self) -> String {
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for copy in &self.full {
            counts.entry(&copy.place).or_default().0 += 1;
        }
        for copy in &self.partial {
            counts.entry(&copy.place).or_default().1 += 1;
        }
        let words = counts.into_iter().map(|(place, (full, partial))| match partial {
            0 => format!("{place}={full}"),
            _ => format!("{place}={full}+{partial}p"),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

impl Scanner {
    pub fn new(canaries: &Canaries) -> Self {
        let (mut patterns, mut texts): (Vec<Pattern>, Vec<Vec<u8>>) = Default::default();
        let mut seen: BTreeMap<&[u8], usize> = BTreeMap::new();
        for window in canaries.0.values().flat_map(|value| value.windows(WINDOW)) {
            *seen.entry(window).or_default() += 1;
        }
        let mut windows = Vec::new();
        for (canary, value) in canaries.0.values().enumerate() {
            // What two secrets have in common (the head of a cephx key) tells neither apart
            let own = value
                .windows(WINDOW)
                .enumerate()
                .filter(|(_, window)| seen[window] == 1 && !is_prose(window));
            let before = patterns.len();
            for (offset, window) in own {
                patterns.push(Pattern::Window { canary, offset });
                texts.push(window.to_vec());
            }
            windows.push(patterns.len() - before);
            for (name, form) in forms(value) {
                patterns.push(Pattern::Form { canary, name });
                texts.push(form);
            }
        }
        let engine = AhoCorasick::new(&texts).unwrap();
        Self { names: canaries.0.keys().cloned().collect(), engine, patterns, windows }
    }

    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// Searches all that a process has mapped.
    pub fn process(&self, pid: Pid) -> Found {
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
        let mut found = Found::default();
        for line in maps.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let place = words.get(5).copied().unwrap_or("anonymous");
            if !words[1].starts_with('r') || place.starts_with("[vvar") || place == "[vsyscall]" {
                continue;
            }
            let place = place.rsplit('/').next().unwrap_or_default();
            let (start, end) = words[0].split_once('-').unwrap();
            let number = |text| usize::from_str_radix(text, 16).unwrap();
            let (start, end) = (number(start), number(end));
            let mut bytes = vec![0; end - start];
            memory.read_exact_at(&mut bytes, start as u64).unwrap_or_else(|error| panic!("{line}: {error}"));
            self.search(&bytes, place, &mut found);
        }
        assert!(found.bytes > 1024 * 1024, "so little of {pid} could be read: {} bytes", found.bytes);
        found
    }

    /// Searches `bytes`, which are what `place` holds.
    pub fn search(&self, bytes: &[u8], place: &str, found: &mut Found) {
        let mut runs: BTreeMap<(usize, isize), BTreeSet<usize>> = BTreeMap::new();
        let mut whole: Vec<(usize, usize)> = Vec::new();
        let mut full = |canary: usize, form, start: usize, end: usize| {
            whole.push((start, end));
            let (secret, place) = (self.names[canary].clone(), place.to_owned());
            found.full.push(Copy { secret, form, place, length: end - start });
        };
        for hit in self.engine.find_overlapping_iter(bytes) {
            match self.patterns[hit.pattern().as_usize()] {
                Pattern::Form { canary, name } => full(canary, name, hit.start(), hit.end()),
                Pattern::Window { canary, offset } => {
                    let origin = hit.start().cast_signed() - offset.cast_signed();
                    runs.entry((canary, origin)).or_default().insert(offset);
                }
            }
        }
        let mut pieces = Vec::new();
        for ((canary, origin), offsets) in runs {
            let (first, last) = (*offsets.first().unwrap(), *offsets.last().unwrap());
            let start = (origin + first.cast_signed()).cast_unsigned();
            let end = (origin + last.cast_signed()).cast_unsigned() + WINDOW;
            if offsets.len() == self.windows[canary] {
                full(canary, "raw", start, end);
            } else {
                pieces.push((canary, start, end));
            }
        }
        // A piece of a whole copy (in another form, or of a longer secret) is not another copy
        pieces.retain(|(_, start, end)| !whole.iter().any(|(from, to)| from <= start && end <= to));
        for (canary, start, end) in pieces {
            let (secret, place) = (self.names[canary].clone(), place.to_owned());
            let copy = Copy { secret, form: "piece", place, length: end - start };
            found.partial.push(copy);
        }
        found.bytes += bytes.len();
    }
}

/// Words of a made-up value ("chosen by the user: …") stand in programs, too.
fn is_prose(window: &[u8]) -> bool {
    window.iter().all(|byte| byte.is_ascii_lowercase() || b" :".contains(byte))
}
