//! Where the command of a `mount` lives: mounts and processes that end with it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use nix::sched::{CloneFlags, setns};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change, unmount,
};
use rustix::process::{Pid, chdir, fchdir, getcwd, geteuid};

use crate::fs;

use super::{RunError, namespace, pass};

/// Over it comes memory: everything writes there.
pub(super) const TEMPORARY: &str = "/tmp";

/// A mount namespace that this process has entered. Nobody outside sees what is mounted in it.
pub(super) struct Enclosure {
    working_directory: Option<PathBuf>,
}

impl Enclosure {
    /// Enters one, and tries whether it is of use. Where it is not, this process is where it was.
    pub(super) fn enter() -> Result<Self, RunError> {
        let refused = |what| move |error| RunError::NoMount { what, reason: reason(error) };
        let working_directory = working_directory();
        if geteuid().is_root() {
            let host = Host::remember().map_err(refused("look at its own namespace"))?;
            namespace::enter_mount_namespace().map_err(refused("unshare"))?;
            try_mount().inspect_err(|_| host.go_back()).map_err(refused("mount"))?;
        } else {
            // There is no way back from a user namespace, and none is needed: nobody gets here who did not ask for it
            namespace::enter_user_namespace().map_err(refused("unshare"))?;
            try_mount().map_err(refused("mount"))?;
            namespace::keep_right_to_mount().map_err(refused("keep the right to mount"))?;
        }
        Ok(Self { working_directory })
    }

    /// Puts memory over `/tmp` and over each of `contained`. What lies below `/tmp` and is needed, which are the directory of
    /// the bundle and the working directory, is seen through it.
    pub(super) fn cover(&self, bundle: &Path, contained: &[PathBuf]) -> Result<(), RunError> {
        let failed = RunError::os("put memory over a directory");
        let needed = self.needed(bundle);
        let open = |path: &&Path| {
            openat(CWD, *path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        };
        let descriptors: Vec<OwnedFd> = needed.iter().map(open).collect::<Result<_, _>>().map_err(&failed)?;
        mount_memory(Path::new(TEMPORARY), "mode=1777").map_err(&failed)?;
        for (path, descriptor) in needed.iter().zip(&descriptors) {
            fs::make_public_directories(path)?;
            mount_bind_recursive(format!("/proc/self/fd/{}", descriptor.as_raw_fd()), *path)
                .map_err(&failed)?;
        }
        for directory in contained {
            fs::make_private_directories(directory)?;
            mount_memory(directory, &as_it_is(directory)?).map_err(&failed)?;
        }
        match &self.working_directory {
            Some(directory) => chdir(directory).map_err(&failed),
            None => Ok(()),
        }
    }

    fn needed<'a>(&'a self, bundle: &'a Path) -> Vec<&'a Path> {
        let mut needed: Vec<&Path> = [Some(bundle), self.working_directory.as_deref()]
            .into_iter()
            .flatten()
            .filter(|path| is_covered(path))
            .collect();
        needed.sort_unstable();
        // One within the other comes with it
        needed.dedup_by(|inner, outer| inner.starts_with(outer));
        needed
    }
}

/// Has `start` start the first process of a process namespace, and waits for what `watch` makes of it. Both are given an end of a socket
/// between the two.
///
/// It is started by a thread of its own, which lives as long as it does: the namespace is that thread's alone, so that we can start
/// others outside, and when we die, the thread does, which is what the first process asks the kernel to be ended by.
pub(super) fn with_first_process<T>(
    start: impl FnOnce(&OwnedFd) -> Result<Pid, RunError> + Send,
    watch: impl FnOnce(Pid, &OwnedFd) -> Result<T, RunError>,
) -> Result<T, RunError> {
    let (ours, theirs) = pass::socket_pair().map_err(RunError::os("make a socket"))?;
    let (started, first) = channel();
    let (end, until_end) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let entered = namespace::enter_process_namespace().map_err(RunError::os("unshare"));
            let _ = started.send(entered.and_then(|()| start(&theirs)));
            drop(theirs);
            let _ = until_end.recv();
        });
        let first = first.recv().unwrap_or(Err(RunError::SupervisorGone));
        let watched = first.and_then(|first| watch(first, &ours));
        drop(end);
        watched
    })
}

/// The true paths of directories over which memory may be put.
///
/// # Errors
///
/// [`RunError::NotThere`], [`RunError::NotEmpty`], since the command would not see what is in it, and [`RunError::File`].
pub fn containable(directories: &[PathBuf]) -> Result<Vec<PathBuf>, RunError> {
    let containable = |directory: &PathBuf| {
        if !directory.exists() {
            return Err(RunError::NotThere { path: directory.clone() });
        }
        let path = fs::true_path(directory)?;
        let is_here = working_directory().is_some_and(|here| here.starts_with(&path));
        if is_here || !fs::names_in(&path)?.is_empty() {
            return Err(RunError::NotEmpty { path });
        }
        Ok(path)
    };
    let mut paths: Vec<PathBuf> = directories.iter().map(containable).collect::<Result<_, _>>()?;
    paths.sort_unstable();
    paths.dedup_by(|inner, outer| inner.starts_with(&*outer));
    Ok(paths)
}

fn working_directory() -> Option<PathBuf> {
    getcwd(Vec::new()).ok().map(|path| PathBuf::from(OsStr::from_bytes(path.as_bytes())))
}

/// Whether the working directory is `/tmp` itself, of which the command would see nothing.
pub(super) fn is_here_hidden() -> bool {
    working_directory().is_some_and(|here| here == Path::new(TEMPORARY))
}

/// The path that `word` is or ends in, if the command would not find it any more: it is below `/tmp`, and neither in the working
/// directory nor in the bundle.
pub(super) fn hidden(word: &OsStr, bundle: &Path) -> Option<PathBuf> {
    let here = working_directory();
    let is_seen = |path: &Path| {
        let directories = [Some(bundle), here.as_deref()].into_iter().flatten();
        directories.filter(|directory| is_covered(directory)).any(|directory| path.starts_with(directory))
    };
    let leads_to = named_below(word).into_iter().chain(true_path_of(word));
    leads_to.filter(|path| is_covered(path) && path.exists()).find(|path| !is_seen(path))
}

/// The path that begins with `/tmp/` within `word`: all of it, or what stands behind a sign that such an argument has.
fn named_below(word: &OsStr) -> Option<PathBuf> {
    let bytes = word.as_bytes();
    let start = bytes.windows(TEMPORARY.len() + 1).position(|window| window == b"/tmp/")?;
    let is_start_of_path = start == 0 || matches!(bytes.get(start - 1), Some(b'=' | b':' | b'@' | b','));
    is_start_of_path.then(|| PathBuf::from(OsStr::from_bytes(bytes.get(start..).unwrap_or_default())))
}

/// Where a word that is a path leads to: `../x`, or a link.
fn true_path_of(word: &OsStr) -> Option<PathBuf> {
    if word.as_bytes().contains(&b'/') { fs::true_path(Path::new(word)).ok() } else { None }
}

fn is_covered(path: &Path) -> bool {
    path.starts_with(TEMPORARY) && path != Path::new(TEMPORARY)
}

fn reason(error: Errno) -> String {
    // What the kernel calls a full device here is a limit that the host has set
    if error == Errno::NOSPC {
        return String::from("no namespace is left under /proc/sys/user");
    }
    fs::reason(&error.into())
}

/// Mounts something, and takes it away.
fn try_mount() -> Result<(), Errno> {
    // What the host mounts later is seen within; what is mounted within is not seen by the host
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    mount("dcn-vault", TEMPORARY, "ramfs", MountFlags::empty(), c"mode=0700")?;
    unmount(TEMPORARY, UnmountFlags::DETACH)
}

/// Options that give a file system the mode of `directory`, and its owner where we may give things away.
fn as_it_is(directory: &Path) -> Result<String, RunError> {
    let mode = fs::mode(directory)?;
    if geteuid().is_root() {
        let (uid, gid) = fs::owner(directory)?;
        return Ok(format!("mode={mode:o},uid={uid},gid={gid}"));
    }
    Ok(format!("mode={mode:o}"))
}

/// A file system in memory that is not swapped out, where the kernel knows that and lets this user have it.
fn mount_memory(point: &Path, options: &str) -> Result<(), Errno> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    let with = |options: String| -> Result<(), Errno> {
        let options = std::ffi::CString::new(options).map_err(|_| Errno::INVAL)?;
        mount("dcn-vault", point, "tmpfs", flags, options.as_c_str())
    };
    with(format!("{options},noswap")).or_else(|_| with(options.to_owned()))
}

/// Where a process came from.
struct Host {
    namespace: OwnedFd,
    working_directory: OwnedFd,
}

impl Host {
    fn remember() -> Result<Self, Errno> {
        let open = |path| openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        Ok(Self { namespace: open("/proc/self/ns/mnt")?, working_directory: open(".")? })
    }

    fn go_back(&self) {
        // Where it fails we are in a namespace that is as the host's
        let _ = setns(&self.namespace, CloneFlags::CLONE_NEWNS);
        let _ = fchdir(&self.working_directory);
    }
}
