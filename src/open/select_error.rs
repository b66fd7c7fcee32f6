use crate::model::EnvironmentFile;
use crate::report::Hint;

/// Why there is no such value. It names what was typed, and parameters; never a key below one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// Its dots can be read in several ways, and more than one leads to something.
    #[error("`{}` can be several values", shown(.path))]
    Ambiguous {
        /// What was typed.
        path: String,
        /// What would say which.
        pointers: Vec<String>,
    },
    /// It begins as a JSON pointer, and is none.
    #[error("`{}` is not a JSON pointer: a `~` is followed by 0 or 1", shown(.path))]
    BadPointer {
        /// What was typed.
        path: String,
    },
    /// Several files set the parameter.
    #[error("`{}` is in several files: {files}", shown(.path))]
    InSeveralFiles {
        /// What was typed.
        path: String,
        /// The files.
        files: String,
    },
    /// No file that the site gets has it.
    #[error("no parameter `{}` is in what this site gets", shown(.name))]
    NoParameter {
        /// What was typed.
        name: String,
        /// What was meant, perhaps.
        nearest: Option<String>,
        /// How many there are.
        of: usize,
    },
    /// Nothing was typed.
    #[error("no value is named")]
    NoPath,
    /// The parameter is there, and what is wanted of it is not.
    #[error("{}", not_there(.wanted, .below, *.is_single))]
    NotThere {
        /// What was not found.
        wanted: String,
        /// Up to where it was followed.
        below: String,
        /// Whether there is a single value, which has nothing below it.
        is_single: bool,
    },
    /// It is a null, for which there is no text.
    #[error("`{}` is null", shown(.path))]
    Null {
        /// What was typed.
        path: String,
    },
    /// The file is not what its name says.
    #[error("`{}` is not what its name says", .file.file_name())]
    Unreadable {
        /// The file.
        file: EnvironmentFile,
    },
}

impl Hint for SelectError {
    fn hint(&self) -> String {
        match self {
            Self::Ambiguous { pointers, .. } => {
                let pointers: Vec<String> =
                    pointers.iter().map(|pointer| format!("'{}'", shown(pointer))).collect();
                format!("say which, as a JSON pointer: {}", pointers.join(" or "))
            }
            Self::BadPointer { .. } => String::from("in a key, write ~1 for a slash and ~0 for a `~`"),
            Self::InSeveralFiles { .. } => String::from("say which: --file NAME"),
            Self::NoParameter { nearest: Some(name), .. } => {
                format!("is `{}` meant? `dcn-vault show` lists the names", shown(name))
            }
            Self::NoParameter { of, .. } => format!("`dcn-vault show` lists the names of all {of}"),
            Self::NoPath => String::from("name a parameter: NovaPassword, say"),
            Self::NotThere { is_single: true, .. } => String::from("leave out what comes behind it"),
            Self::NotThere { .. } => {
                String::from("keys below a parameter are not listed, since they may be secret: get all of it")
            }
            Self::Null { .. } => String::from("--json writes it as JSON"),
            Self::Unreadable { .. } => {
                String::from("get the bundle anew from where it was made; do not deploy with it")
            }
        }
    }
}

fn not_there(wanted: &str, below: &str, is_single: bool) -> String {
    let (wanted, below) = (shown(wanted), shown(below));
    match (below.is_empty(), is_single) {
        (true, _) => format!("there is no `{wanted}` in the file"),
        (false, true) => format!("there is no `{wanted}` below `{below}`, which is a single value"),
        (false, false) => format!("there is no `{wanted}` below `{below}`"),
    }
}

fn shown(text: &str) -> String {
    text.escape_debug().to_string()
}
