//! What must be true of an output, wherever it was kept.

use std::fmt;

use crate::model::{Data, EnvironmentFile, Kind};

use super::SourceError;
use super::plan::is_masked;

/// Where an output was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holder {
    /// In a file.
    File(String),
    /// In a stack.
    Stack(String),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) => write!(f, "`{name}`"),
            Self::Stack(name) => write!(f, "stack `{name}`"),
        }
    }
}

/// Why an output is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputFault {
    /// There is nothing in it.
    Empty,
    /// Heat shows it masked.
    Masked,
    /// It is null: not computed yet, or it never was.
    Null,
    /// `EndpointMap` does not know Keystone: it is none.
    WithoutKeystone,
    /// A list or text where a map belongs, or the other way round.
    WrongForm,
}

impl fmt::Display for OutputFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Masked => "holds `******`, which is Heat's mask and no value",
            Self::Null => "is null",
            Self::WithoutKeystone => "is no endpoint map: it has no `KeystonePublic`",
            Self::WrongForm => "has not the form that it should have",
        })
    }
}

/// `value`, when it can be the output that `file` is made from.
pub(super) fn checked(
    file: EnvironmentFile,
    value: Data,
    holder: impl FnOnce() -> Holder,
) -> Result<Data, SourceError> {
    match fault_of(file, &value) {
        None => Ok(value),
        Some(fault) => {
            let output = file.output().unwrap_or_else(|| file.file_name());
            Err(SourceError::OutputUnusable { output, holder: holder(), fault })
        }
    }
}

fn fault_of(file: EnvironmentFile, value: &Data) -> Option<OutputFault> {
    if is_masked(value) {
        return Some(OutputFault::Masked);
    }
    let takes_entries = matches!(file, EnvironmentFile::HostEntries | EnvironmentFile::CephExternal);
    match value {
        Data::Scalar(scalar) if scalar.kind == Kind::Null => Some(OutputFault::Null),
        // One text up to Stein, a list of lines from Train on
        Data::Scalar(scalar) if takes_entries && scalar.kind == Kind::String => {
            scalar.is("").then_some(OutputFault::Empty)
        }
        Data::List(items) if takes_entries => items.is_empty().then_some(OutputFault::Empty),
        Data::Map(entries) if !takes_entries && entries.is_empty() => Some(OutputFault::Empty),
        Data::Map(_) if file == EnvironmentFile::EndpointMap => {
            value.under("KeystonePublic").is_none().then_some(OutputFault::WithoutKeystone)
        }
        Data::Map(_) if !takes_entries => None,
        Data::Scalar(_) | Data::List(_) | Data::Map(_) => Some(OutputFault::WrongForm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn fault(file: EnvironmentFile, text: &str) -> Option<OutputFault> {
        fault_of(file, &json::read(text.as_bytes(), "test").unwrap())
    }

    #[test]
    fn hosts_are_one_text_or_a_list_and_all_else_is_a_map() {
        use EnvironmentFile::{AllNodes, GlobalConfig, HostEntries};
        for text in [r#""10.0.0.1 a\n""#, r#"["10.0.0.1 a"]"#] {
            assert_eq!(fault(HostEntries, text), None);
            assert_eq!(fault(AllNodes, text), Some(OutputFault::WrongForm));
        }
        assert_eq!(fault(GlobalConfig, r#"{"a": 1}"#), None);
        assert_eq!(fault(HostEntries, r#"{"a": 1}"#), Some(OutputFault::WrongForm));
    }

    #[test]
    fn what_is_null_empty_or_masked_is_no_value() {
        use EnvironmentFile::{EndpointMap, GlobalConfig, HostEntries};
        assert_eq!(fault(GlobalConfig, "null"), Some(OutputFault::Null));
        assert_eq!(fault(GlobalConfig, "{}"), Some(OutputFault::Empty));
        assert_eq!(fault(HostEntries, "[]"), Some(OutputFault::Empty));
        assert_eq!(fault(HostEntries, r#""""#), Some(OutputFault::Empty));
        assert_eq!(fault(GlobalConfig, r#"{"a": ["******"]}"#), Some(OutputFault::Masked));
        assert_eq!(fault(EndpointMap, r#"{"Nova": {}}"#), Some(OutputFault::WithoutKeystone));
        assert_eq!(fault(EndpointMap, r#"{"KeystonePublic": {}}"#), None);
    }
}
