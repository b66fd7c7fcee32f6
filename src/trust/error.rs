use std::path::PathBuf;

use jiff::Timestamp;

use crate::fs::FileError;
use crate::model::Digest;
use crate::report::Hint;

/// Why a bundle is not believed here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// It comes from the future, as this machine's clock has it.
    #[error("the bundle was made at {created}, and here it is {now}: the clock is behind")]
    ClockBehind {
        /// When it was made.
        created: Timestamp,
        /// What the clock says.
        now: Timestamp,
    },
    /// The clock was right, or ahead, before.
    #[error("it is {now} by the clock, and was {latest} before: the clock was set back")]
    ClockSetBack {
        /// The latest time that was seen.
        latest: Timestamp,
        /// What the clock says.
        now: Timestamp,
    },
    /// What is remembered cannot be read, which is not the same as nothing.
    #[error("`{}`, where it is remembered what was seen of a vault, is damaged", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It is too old to be deployed.
    #[error("the bundle is good until {not_after}, and it is {now}")]
    Expired {
        /// Its end.
        not_after: Timestamp,
        /// What the clock says.
        now: Timestamp,
    },
    /// What is remembered could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// There are two bundles of one generation.
    #[error("generation {generation} was seen with the manifest {seen}, and this one's is {digest}: forked")]
    Forked {
        /// Its generation.
        generation: u64,
        /// The digest of the manifest that was seen.
        seen: Digest,
        /// The digest of its manifest.
        digest: Digest,
    },
    /// It follows another bundle than the one that was seen.
    #[error(
        "generation {generation} does not follow generation {} that was seen here, but another: forked",
        .generation - 1
    )]
    ForkedBefore {
        /// Its generation.
        generation: u64,
    },
    /// A newer one was seen.
    #[error("generation {generation} is older than generation {seen}, which was seen here")]
    Older {
        /// Its generation.
        generation: u64,
        /// The highest that was seen.
        seen: u64,
    },
    /// Another vault's bundles come to this place.
    #[error("`{place}` has a bundle of vault {vault}, and had those of vault {expected}")]
    OtherVault {
        /// The bundle's directory.
        place: String,
        /// The vault that it belongs to.
        vault: String,
        /// The vault that was there before.
        expected: String,
    },
    /// Too few have signed it.
    #[error("{}", too_few(*.valid, *.required))]
    TooFewSigners {
        /// Those who have, each counted once.
        valid: u32,
        /// Those who must have.
        required: u32,
    },
    /// It is no vault's name.
    #[error("the bundle's vault is not named by 32 hexadecimal digits")]
    VaultName,
}

impl Hint for TrustError {
    fn hint(&self) -> String {
        match self {
            Self::ClockBehind { .. } => String::from(
                "set this machine's clock, for it decides what has expired; if the centre's is wrong: --allow-expired",
            ),
            Self::ClockSetBack { .. } => String::from(
                "set the clock, for it decides what has expired; if it was wrong before: `dcn-vault trust reset`",
            ),
            Self::Damaged { path } => format!(
                "is the disk sound? Then remove {}: the next bundle of that vault is taken as the first",
                path.display()
            ),
            Self::Expired { .. } => String::from(
                "get a newer bundle from the centre; to deploy this one all the same: --allow-expired",
            ),
            Self::File(error) => error.hint(),
            Self::Forked { generation, .. } => restored(*generation),
            Self::ForkedBefore { generation } => restored(generation.saturating_sub(1)),
            Self::Older { seen, .. } => restored(*seen),
            Self::OtherVault { .. } => String::from(
                "is it the right directory? If this site moves to that vault: `dcn-vault trust reset`",
            ),
            Self::TooFewSigners { valid: 0, .. } => String::from(
                "have it signed at the centre; to go without, and believe whoever wrote it: --allow-unsigned",
            ),
            Self::TooFewSigners { .. } => String::from(
                "have more signers sign it; each needs a name and a key of its own in the file of signers",
            ),
            Self::VaultName => String::from("get the bundle anew from where it was made"),
        }
    }
}

/// The way on for a centre that was set back to a copy.
fn restored(seen: u64) -> String {
    format!(
        "get the newest bundle; if the centre was restored from a copy, run there `dcn-vault pull --after {}`",
        seen.saturating_add(1)
    )
}

fn too_few(valid: u32, required: u32) -> String {
    match (valid, required) {
        (0, 1) => String::from("no trusted signer has signed the bundle"),
        (0, _) => format!("no trusted signer has signed the bundle, and {required} have to"),
        (1, _) => format!("1 trusted signer has signed the bundle, and {required} have to"),
        _ => format!("{valid} trusted signers have signed the bundle, and {required} have to"),
    }
}
