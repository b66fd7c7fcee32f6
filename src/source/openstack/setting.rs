use std::collections::BTreeMap;

use crate::model::{Data, Kind, Scalar};
use crate::secret::SecretValue;

/// A map of a clouds.yaml, or the `OS_*` variables. Of `user-id` and `user_id` openstacksdk makes one name, and so do we.
pub(super) type Settings = BTreeMap<String, Setting>;

/// A value of a clouds.yaml. Each text is held as a secret: what it is for is known only later.
#[derive(Debug)]
pub(super) enum Setting {
    /// `true` or `yes` without quotes, and how it was written: people choose passwords like that.
    Flag(bool, SecretValue),
    Text(SecretValue),
    List(Vec<Self>),
    Map(Settings),
}

impl Setting {
    /// A null is no setting.
    pub(super) fn read(data: Data) -> Option<Self> {
        match data {
            Data::Scalar(Scalar { kind: Kind::Null, .. }) => None,
            Data::Scalar(Scalar { kind: Kind::Bool, text }) => {
                let is_true = ["true", "yes", "on"].iter().any(|word| is(&text, word));
                Some(Self::Flag(is_true, text))
            }
            Data::Scalar(Scalar { text, .. }) => Some(Self::Text(text)),
            Data::List(items) => Some(Self::List(items.into_iter().filter_map(Self::read).collect())),
            Data::Map(entries) => {
                let read = |(key, value): (Scalar, Data)| {
                    // EXPOSE: a key is a setting's name, or a cloud's
                    Some((key.text.expose(str::to_owned), Self::read(value)?))
                };
                Some(Self::Map(entries.into_iter().filter_map(read).collect()))
            }
        }
    }

    /// The text of a value that has one; an empty one is none: stackrc files export empty variables.
    pub(super) fn text(&self) -> Option<&SecretValue> {
        match self {
            // EXPOSE: asked only whether it is empty
            Self::Text(text) | Self::Flag(_, text) => (!text.expose(str::is_empty)).then_some(text),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The text of a setting that is no secret.
    pub(super) fn plain(&self) -> Option<String> {
        // EXPOSE: asked for by name, and no name of a secret setting is asked for
        self.text().map(|text| text.expose(str::to_owned))
    }

    pub(super) fn into_text(self) -> Option<SecretValue> {
        match self {
            Self::Text(text) | Self::Flag(_, text) => Some(text),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    pub(super) fn into_map(self) -> Option<Settings> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    fn normalized(self) -> Self {
        match self {
            Self::Map(map) => Self::Map(normalized(map)),
            other @ (Self::Flag(..) | Self::Text(_) | Self::List(_)) => other,
        }
    }
}

/// Whether `text` is this word, in whatever case.
pub(super) fn is(text: &SecretValue, word: &str) -> bool {
    // EXPOSE: compared in place, with a word that is public
    text.expose(|text| text.eq_ignore_ascii_case(word))
}

/// Underscores for the dashes in names.
pub(super) fn normalized(settings: Settings) -> Settings {
    settings.into_iter().map(|(name, value)| (name.replace('-', "_"), value.normalized())).collect()
}

/// Lays `new` over `old`, map by map: how secure.yaml comes over clouds.yaml.
pub(super) fn merge(old: &mut Settings, new: Settings) {
    for (name, value) in new {
        match (old.get_mut(&name), value) {
            (Some(Setting::Map(old)), Setting::Map(new)) => merge(old, new),
            (_, value) => {
                old.insert(name, value);
            }
        }
    }
}

/// Lays `new` over `old`, of whose maps `auth` alone is merged: how a cloud comes over its profile.
pub(super) fn update(old: &mut Settings, new: Settings) {
    for (name, value) in new {
        match (old.get_mut(&name), value) {
            (Some(Setting::Map(old)), Setting::Map(new)) if name == "auth" => old.extend(new),
            (_, value) => {
                old.insert(name, value);
            }
        }
    }
}
