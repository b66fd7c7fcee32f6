//! What a server sends: its certificate, then the issuer's, then that one's issuer's (RFC 8446 §4.4.2).

use crate::model::Certificate;

use super::names;

/// A chain that no client can follow.
pub(super) struct Break {
    pub(super) of: String,
    pub(super) says: String,
}

/// The chains among `certificates` that are not in order.
pub(super) fn breaks(certificates: &[Certificate]) -> Vec<Break> {
    let firsts = certificates.iter().filter(|one| starts_chain(one));
    firsts.filter_map(|first| break_in(&chain_of(first, certificates))).collect()
}

/// A certificate of a server, which is one with a key, or the one that haproxy presents.
fn starts_chain(one: &Certificate) -> bool {
    one.position.is_none_or(|position| position == 1)
        && (one.key.is_some() || names::is_sent(one.parameter.as_str()))
}

/// The parameter's certificates and those of its `…IntermediateCertificate`, which haproxy's file has after them.
fn chain_of<'a>(first: &Certificate, certificates: &'a [Certificate]) -> Vec<&'a Certificate> {
    let own = first.parameter.as_str();
    let intermediate = names::intermediate_of(own);
    let with = |name: &str| {
        let name = name.to_owned();
        certificates.iter().filter(move |one| one.parameter.as_str() == name)
    };
    with(own).chain(intermediate.as_deref().map(with).into_iter().flatten()).collect()
}

fn break_in(chain: &[&Certificate]) -> Option<Break> {
    // Several roots beside each other are a list of whom to trust, in no order
    if chain.iter().all(|one| is_own_issuer(one)) {
        return None;
    }
    let (before, after) = pairs(chain).find(|(before, after)| !follows(before, after))?;
    if let Some(right) = in_order(chain) {
        let labels: Vec<String> = right.iter().map(|one| one.label()).collect();
        let says = format!("the chain is in the wrong order; it should be {}", labels.join(", "));
        return Some(Break { of: chain.first()?.label(), says });
    }
    let says =
        format!("the chain has a gap: it follows {}, which {} has signed", before.label(), before.issuer);
    Some(Break { of: after.label(), says })
}

/// The same certificates so that each follows its own, if that can be.
fn in_order<'a>(chain: &[&'a Certificate]) -> Option<Vec<&'a Certificate>> {
    let mut left = chain.to_vec();
    let has_signed =
        |one: &Certificate| chain.iter().any(|other| !is_own_issuer(other) && other.issuer == one.subject);
    let mut next = left.iter().position(|one| !has_signed(one));
    let mut right: Vec<&Certificate> = Vec::new();
    while let Some(at) = next {
        let one = left.remove(at);
        next = left.iter().position(|other| follows(one, other));
        right.push(one);
    }
    left.is_empty().then_some(right)
}

fn pairs<'a>(chain: &[&'a Certificate]) -> impl Iterator<Item = (&'a Certificate, &'a Certificate)> {
    chain.iter().copied().zip(chain.iter().copied().skip(1))
}

fn follows(before: &Certificate, after: &Certificate) -> bool {
    before.issuer == after.subject
}

fn is_own_issuer(one: &Certificate) -> bool {
    one.issuer == one.subject
}
