//! Made-up secrets, in a plan of the size of a real one.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::keygen::NewIdentity;
use crate::secret::SecretBuffer;

/// A probe holds nothing that does not begin with it.
pub(super) const MARK: &[u8] = b"# made up by dcn-vault selftest\n";
/// A probe holds no file without a parameter of this name.
pub(super) const PARAMETER: &[u8] = b"SelftestMadeUp";

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
const IDENTITY_PREFIX: &[u8] = b"AGE-SECRET-KEY-1";
const PARAMETERS: usize = 5;
/// A plan has a hundred passwords and tens of KB.
const FILLERS: usize = 90;
const FILLER_LENGTH: usize = 400;
const LENGTH: usize = 40;
const LINE_LENGTH: usize = 64;

/// Secrets that are none.
#[derive(Debug)]
pub(super) struct Canaries {
    /// What to search for. The last is the private key.
    pub(super) needles: Vec<String>,
    /// A plan with all but the private key.
    pub(super) plan: SecretBuffer,
    /// A stack's output with some of them.
    pub(super) output: SecretBuffer,
}

impl Canaries {
    /// New ones; `identity` is the private key among them.
    pub(super) fn make(identity: &NewIdentity) -> Result<Self, Errno> {
        let mut canaries =
            Self { needles: Vec::new(), plan: SecretBuffer::new(), output: SecretBuffer::new() };
        canaries.plan.push(MARK);
        canaries.plan.push_str("passwords:\n");
        canaries.output.push_str("{");
        for number in 0..PARAMETERS {
            canaries.add(number)?;
        }
        canaries.output.push_str("\"nova::host\": \"made-up\"}");
        for number in 0..FILLERS {
            canaries.plan.push_str(&format!("  SelftestFiller{number}: x{}\n", random(FILLER_LENGTH)?));
        }
        // EXPOSE: searched for, in a process that we look into; it is the throw-away key of this selftest
        canaries.needles.extend(identity.content().expose(private_key));
        Ok(canaries)
    }

    /// How many there are in the plan.
    pub(super) fn in_plan(&self) -> usize {
        self.needles.len().saturating_sub(1)
    }

    /// A password, one with characters that YAML and JSON must quote, and a private key.
    fn add(&mut self, number: usize) -> Result<(), Errno> {
        let plain = random(LENGTH)?;
        let quoted = format!("{}\"{}\\{}'{}", random(10)?, random(10)?, random(10)?, random(10)?);
        let escaped = quoted.replace('\\', "\\\\").replace('"', "\\\"");
        let lines = [random(LINE_LENGTH)?, random(LINE_LENGTH)?];
        let kind = "PRIVATE KEY";
        self.plan.push_str(&format!(
            "  SelftestMadeUp{number}Password: x{plain}\n  SelftestMadeUp{number}Quoted: \"{escaped}\"\n  SelftestMadeUp{number}Key: |\n    \
             -----BEGIN {kind}-----\n    {}\n    {}\n    -----END {kind}-----\n",
            lines[0], lines[1]
        ));
        self.output.push_str(&format!("\"nova::setting{number}\": \"{escaped}\", "));
        self.needles.extend([plain, quoted].into_iter().chain(lines));
        Ok(())
    }
}

/// The part of an identity's last line that no other has.
fn private_key(identity: &[u8]) -> Option<String> {
    let line = identity.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
    let key = line.strip_prefix(IDENTITY_PREFIX)?;
    Some(String::from_utf8_lossy(key).into_owned())
}

fn random(length: usize) -> Result<String, Errno> {
    let mut bytes = vec![0_u8; length];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        filled += getrandom(rest, GetRandomFlags::empty())?;
    }
    let characters = bytes.into_iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 64)));
    Ok(characters.map(|byte| char::from(*byte)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Plan;

    #[test]
    fn they_are_a_plan_that_reads_and_none_is_like_another() {
        let canaries = Canaries::make(&NewIdentity::make()).unwrap();
        // EXPOSE: made up
        let plan = canaries.plan.expose(|text| Plan::read(text, "canaries")).unwrap();
        assert_eq!(plan.layers[0].parameters.len(), 3 * PARAMETERS + FILLERS);
        // EXPOSE: made up
        canaries.output.expose(|text| crate::json::read(text, "canaries")).unwrap();
        assert_eq!((canaries.needles.len(), canaries.in_plan()), (4 * PARAMETERS + 1, 4 * PARAMETERS));
        let mut needles = canaries.needles.clone();
        needles.sort();
        needles.dedup();
        assert_eq!(needles.len(), canaries.needles.len());
    }
}
