//! Pulls the secrets of a TripleO control plane, seals them with age, and opens them for one process tree at deploy
//! time.
//!
//! ```text
//!  OpenStack ┐                                                     ┌ bundle/ on disk ┐
//!  a file    ┴─→ Harvest ─→ Classified ─→ Cleared ─→ Sealed ───────┤ *.json  *.age   ├──→ Opened ─→ the child
//!                source     classify      guard      seal          │ manifest.json   │    open      run
//!                                                                  └─────────────────┘
//! ```
//!
//! Each arrow is a move by value, and each stage is a type that only the stage before it makes: plaintext that no guard
//! has searched cannot be written, because it does not compile.
//!
//! ```
//! use dcn_vault::{audience, bundle, classify, fingerprint, guard, keygen, recipients, seal, source};
//!
//! # let directory = std::env::temp_dir().join(format!("dcn-vault-doctest-{}", std::process::id()));
//! # std::fs::create_dir(&directory).unwrap();
//! # let plan = directory.join("plan-environment.yaml");
//! # std::fs::write(&plan, "passwords: {NovaPassword: made-up-for-this-example}\n").unwrap();
//! let recipient = keygen::NewIdentity::make().recipient;
//! let audience = audience::Audience::everyone(recipients::RecipientSet::given(&[recipient], &[])?);
//! let slot = bundle::Slot::at(&directory.join("bundle"))?;
//! let notes = fingerprint::Notes::read(None, slot.vault())?;
//! let harvest = source::from_files(&source::Files::new(vec![source::FileSource::named(&plan)]))?;
//! let classified = classify::classify(harvest, &classify::Choice::default());
//! let cleared = guard::clear(classified, guard::OnSecret::Seal)?;
//! let draft = slot.draft(None)?;
//! let sealed = seal::seal(cleared, &audience, &notes, None, &draft)?;
//! let manifest = draft.complete(&sealed, &bundle::Terms::default())?.commit()?;
//! assert_eq!(manifest.secrets[0].name.as_str(), "NovaPassword");
//! # std::fs::remove_dir_all(&directory).unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`secret`] | the only types that hold plaintext |
//! | [`model`] | the nouns: parameter, site, environment file, digest |
//! | [`yaml`], [`json`] | files as Python reads and writes them |
//! | [`source`] | a cloud or a file → `Harvest` |
//! | [`classify`], [`guard`] | what is secret; nothing secret stays in clear |
//! | [`certificate`] | what certificates say, and whether their keys fit |
//! | [`role`] | which secrets a site's role takes |
//! | [`recipients`], [`seal`] | who may read it; encryption |
//! | [`signature`], [`trust`] | who made it; what this machine has seen |
//! | [`audience`] | which site gets what |
//! | [`bundle`] | what lies on disk |
//! | [`signature`], [`trust`], [`admit`] | who made it, and whether it is the newest |
//! | [`fingerprint`], [`drift`] | what the puller remembers of the values; what has changed |
//! | [`identity`], [`open`] | who we are; decryption |
//! | [`run`] | the deployment with the secrets in place |
//! | [`escape`] | what it has left of them |
//! | [`serve`] | values and files on a socket, to whom a policy allows them |
//! | [`audit`] | who opened what: lines that hold each other |
//! | [`selftest`] | whether all of that holds on this machine |
//! | [`keygen`], [`vault`], [`fs`], [`report`] | identities, settings, files, errors |
//! | [`cli`] | the command line |
//! | [`manual`] | format, operation, decisions, security |

#![forbid(unsafe_code)]

pub mod admit;
pub mod audience;
pub mod audit;
pub mod bundle;
pub mod certificate;
pub mod classify;
pub mod cli;
pub mod drift;
pub mod escape;
pub mod fingerprint;
pub mod fs;
pub mod guard;
pub mod identity;
pub mod json;
pub mod keygen;
pub mod manual;
pub mod model;
pub mod open;
pub mod recipients;
pub mod report;
pub mod role;
pub mod run;
pub mod seal;
pub mod secret;
pub mod selftest;
pub mod serve;
pub mod signature;
pub mod source;
pub mod trust;
pub mod vault;
pub mod yaml;
