use std::io::{self, Write};
use std::ops::Range;

use crate::audience::Audience;
use crate::guard::{Cleared, ClearedContent, ClearedFile, SecretFile};
use crate::model::{FilePath, Grant, ParameterName, Site};
use crate::secret::SecretBuffer;

/// A file to be made.
pub(super) struct Job<'a> {
    pub(super) path: FilePath,
    pub(super) text: Text<'a>,
    /// What it sets.
    pub(super) parameters: Vec<&'a ParameterName>,
    /// Who opens it; nobody in particular where it is clear.
    pub(super) sites: Vec<&'a Site>,
    /// What of the text is written; all of it where none is named.
    parts: Option<Vec<Range<usize>>>,
}

/// What is written. Only this goes to other threads, and not the values it was made from.
#[derive(Clone, Copy)]
pub(super) enum Text<'a> {
    Public(&'a [u8]),
    Secret(&'a SecretBuffer),
}

/// All files of a bundle: those for everybody, then each site's.
pub(super) fn list<'a>(cleared: &'a Cleared, audience: &'a Audience) -> Vec<Job<'a>> {
    let entire = audience.entire();
    let whole = cleared.files.iter().filter(|file| is_public(file) || !entire.is_empty());
    let mut jobs: Vec<Job<'a>> = whole.map(|file| Job::whole(file, &entire)).collect();
    let secret = || cleared.files.iter().filter(|file| !is_public(file));
    let mut granted: Vec<(&Site, &Grant)> =
        audience.grants.iter().flat_map(|grant| grant.sites.iter().map(move |site| (site, grant))).collect();
    granted.sort_by_key(|(site, _)| *site);
    for (site, grant) in granted {
        jobs.extend(secret().filter_map(|file| Job::subset(file, site, grant)));
    }
    jobs
}

fn is_public(file: &ClearedFile) -> bool {
    matches!(file.content, ClearedContent::Public(_))
}

impl<'a> Text<'a> {
    const fn of(content: &'a ClearedContent) -> Self {
        match content {
            ClearedContent::Public(bytes) => Self::Public(bytes.as_slice()),
            ClearedContent::Secret(secret) => Self::Secret(&secret.text),
        }
    }
}

impl<'a> Job<'a> {
    fn whole(file: &'a ClearedFile, entire: &[&'a Site]) -> Self {
        let sealed = !is_public(file);
        Self {
            path: FilePath { site: None, file: file.file, sealed },
            text: Text::of(&file.content),
            parameters: file.parameters.iter().collect(),
            sites: if sealed { entire.to_vec() } else { Vec::new() },
            parts: None,
        }
    }

    /// What `site` gets of a file; nothing where that is nothing.
    fn subset(file: &'a ClearedFile, site: &'a Site, grant: &Grant) -> Option<Self> {
        let ClearedContent::Secret(SecretFile { parts, .. }) = &file.content else { return None };
        let is_whole = parts.is_empty();
        let chosen = file.parameters.iter().enumerate().filter(|(_, name)| grant.holds(name));
        let (positions, parameters): (Vec<usize>, Vec<&ParameterName>) = chosen.unzip();
        // A file that cannot be taken apart is for who gets all of it
        if parameters.is_empty() || is_whole && parameters.len() < file.parameters.len() {
            return None;
        }
        let ranges = || {
            let head = 0..parts.first().map_or(0, |first| first.start);
            let chosen = positions.iter().filter_map(|position| parts.get(*position).cloned());
            [head].into_iter().chain(chosen).collect()
        };
        Some(Self {
            path: FilePath { site: Some(site.clone()), file: file.file, sealed: true },
            text: Text::of(&file.content),
            parameters,
            sites: vec![site],
            parts: (!is_whole).then(ranges),
        })
    }

    /// What the manifest says that it sets; a site's file sets what its subset says.
    pub(super) fn own_parameters(&self) -> Vec<ParameterName> {
        if self.path.site.is_some() {
            return Vec::new();
        }
        self.parameters.iter().map(|name| (*name).clone()).collect()
    }

    pub(super) fn write_to(&self, writer: &mut impl Write) -> io::Result<()> {
        match self.text {
            Text::Public(bytes) => writer.write_all(bytes),
            // EXPOSE: age needs the bytes; its writer's block is wiped by the allocator
            Text::Secret(text) => text.expose(|plain| match &self.parts {
                None => writer.write_all(plain),
                Some(parts) => parts
                    .iter()
                    .try_for_each(|part| writer.write_all(plain.get(part.clone()).unwrap_or_default())),
            }),
        }
    }
}
