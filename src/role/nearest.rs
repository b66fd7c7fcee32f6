/// Of `known` the name that `name` is most likely meant to be, if any is near.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let far = 1 + name.chars().count() / 4;
    let near =
        known.map(|one| (distance(&name, &one.to_lowercase()), one)).filter(|(steps, _)| *steps <= far);
    near.min().map(|(_, one)| one)
}

/// How many characters must be put in, taken out or changed.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (position, character) in one.chars().enumerate() {
        let mut next = vec![position + 1];
        let mut left = position + 1;
        for ((before, above), theirs) in row.iter().zip(row.iter().skip(1)).zip(other.chars()) {
            left = (before + usize::from(character != theirs)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

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
