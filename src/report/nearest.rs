/// So many letters of a name that is wrong are looked at.
const LONGEST: usize = 64;

/// Of `known` the name that `name` is most likely meant to be, if any is near.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written = name.to_lowercase();
    let distances = known.map(|one| (distance(&written, &one.to_lowercase()), one));
    // A third of the letters: `cluod` is cloud, and `name` is not plan
    distances.filter(|(steps, one)| steps * 3 <= one.len()).min().map(|(_, one)| one)
}

/// How many letters are to be added, left out, changed, or swapped with the next, to get from one to the other.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().take(LONGEST).collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&above, column) + usize::from(letter != wanted);
            let mut least = changed.min(at(&above, column + 1) + 1).min(at(&next, column) + 1);
            let is_swap = column > 0
                && row > 0
                && other.get(column - 1) == Some(letter)
                && one.get(row - 1) == Some(wanted);
            if is_swap {
                least = least.min(at(&before, column - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut above, next);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_too_many_too_few_another_or_two_swapped_is_one_step() {
        for (one, other, steps) in [
            ("cloud", "cloud", 0),
            ("cluod", "cloud", 1),
            ("clouds", "cloud", 1),
            ("clod", "cloud", 1),
            ("", "abc", 3),
            ("plan", "stack", 4),
        ] {
            assert_eq!(distance(one, other), steps, "{one} {other}");
        }
    }

    #[test]
    fn a_slip_of_the_hand_is_near_and_another_word_is_not() {
        let known = || ["Compute", "ComputeHCI", "DistributedCompute", "DistributedComputeHCI"].into_iter();
        assert_eq!(nearest("DistribuetdCompute", known()), Some("DistributedCompute"));
        assert_eq!(nearest("computehci", known()), Some("ComputeHCI"));
        assert_eq!(nearest("Computes", known()), Some("Compute"));
        assert_eq!(nearest("EdgeGateway", known()), None);
        assert_eq!(nearest("", known()), None);
    }
}
