//! Who pulls and deploys: a user with a home, an identity, and a clouds.yaml that this user can read.

#![allow(clippy::disallowed_methods, reason = "tests write files and start processes")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use crate::program::refusal::after_the_way;
use crate::program::{Said, Scratch, copy_program_to, said};
use crate::running::{Lab, scripts};

/// As whom the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// Whoever runs the tests.
    Own,
    /// `nobody` when root runs the tests; whoever runs them is unprivileged otherwise.
    Unprivileged,
}

/// How the program learns of the cloud.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// By this entry of clouds.yaml.
    Cloud(&'static str),
    /// By this profile's `OS_*` variables.
    Variables(&'static str),
}

/// A user at work. All that this user has is below one directory, which goes away with the test.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) lab: Lab,
    pub(crate) recipient: String,
    memory: Memory,
    scratch: Scratch,
    is_nobody: bool,
}

/// A directory in memory, which goes away with the test. A file system of its own cannot be had: all tests are in this one.
#[derive(Debug)]
struct Memory(PathBuf);

impl Memory {
    const ALL: &'static str = "/dev/shm";
    const OF_TESTS: &'static str = "dcn-vault-test-";

    fn of(scratch: &Scratch) -> Self {
        let path = Path::new(Self::ALL).join(scratch.path().file_name().unwrap());
        std::fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        Self(path)
    }

    /// All that is in memory, but for what other tests have there at this moment.
    fn searched(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(Self::ALL).unwrap().map(|entry| entry.unwrap());
        let is_anothers = |name: &OsStr| name.to_string_lossy().starts_with(Self::OF_TESTS);
        let others = entries.filter(|entry| !is_anothers(&entry.file_name())).map(|entry| entry.path());
        others.chain([self.0.clone()]).collect()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Operator {
    pub(crate) fn new(user: User) -> Self {
        let scratch = Scratch::new();
        let is_nobody = user == User::Unprivileged && geteuid().is_root();
        let memory = Memory::of(&scratch);
        let mut operator = Self { lab: Lab::running(), recipient: String::new(), memory, scratch, is_nobody };
        for directory in ["home", "tmp", "runtime", "heard", "opened"] {
            std::fs::create_dir(operator.join(directory)).unwrap();
        }
        let certificate = std::fs::read(operator.lab.join("tls/ca.crt")).unwrap();
        operator.scratch.write("home/ca.crt", certificate, 0o600);
        let clouds = std::fs::read_to_string(operator.lab.join("clouds.yaml")).unwrap();
        operator.scratch.write("home/.config/openstack/clouds.yaml", operator.with_own_ca(&clouds), 0o600);
        for name in ["signing_key", "signers"] {
            let path = format!(".config/dcn-vault/{name}");
            let content = std::fs::read(operator.join(&path)).unwrap();
            operator.scratch.write(&format!("home/{path}"), content, 0o600);
        }
        if is_nobody {
            copy_program_to(&operator.join("dcn-vault"));
        }
        operator.give();
        operator.recipient =
            said(operator.program().args(["keygen", "-o", "identity.txt"])).succeeded().trim().into();
        operator
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.join("home")
    }

    pub(crate) fn bundle(&self) -> PathBuf {
        self.join("home/bundle")
    }

    /// The program as this user, at home.
    pub(crate) fn program(&self) -> Command {
        let copy = self.join("dcn-vault");
        self.command(if self.is_nobody { &copy } else { Path::new(env!("CARGO_BIN_EXE_dcn-vault")) })
    }

    /// Any program as this user, at home, with an environment that has nothing of ours but `PATH`.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = if self.is_nobody {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.home()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.home()).env("TMPDIR", self.join("tmp"));
        command.env("XDG_RUNTIME_DIR", self.join("runtime"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Pulls into `bundle/`; again when the lab's Keystone was too busy: its database gives up after 5 s of many logins at once.
    pub(crate) fn pull(&self, way: Way, stack: &str, plan: &str) -> Said {
        let mut command = self.program();
        command.args(["pull", "--stack", stack, "--plan", plan, "-r", &self.recipient, "-o", "bundle"]);
        match way {
            Way::Cloud(name) => command.args(["--os-cloud", name]),
            Way::Variables(profile) => command.envs(self.variables(profile)),
        };
        let pulled = said(&mut command);
        let is_busy = after_the_way(&pulled.err).starts_with("error: Keystone answered with status 500\n");
        if is_busy { said(&mut command) } else { pulled }
    }

    /// The `run` of a script with these options, up to the script's name.
    pub(crate) fn child(&self, script: &str, modules: &[&str], options: &[&str]) -> Command {
        let mut command = self.run_of(&self.lab.interpreter(), modules, options);
        command.arg(self.script(script));
        command
    }

    /// The `run` of an interpreter with these options, up to the interpreter's first argument; the plan is its standard input. All that
    /// the test has put somewhere is below the working directory.
    pub(crate) fn run_of(&self, interpreter: &Path, modules: &[&str], options: &[&str]) -> Command {
        let mut command = self.program();
        let mut interpreter = interpreter.to_owned();
        if self.is_nobody {
            command.env("PYTHONPATH", self.packages(&interpreter, modules));
            interpreter = interpreter.canonicalize().unwrap();
        }
        command.current_dir(self.scratch.path());
        if options.contains(&"file") {
            command.env("XDG_RUNTIME_DIR", &self.memory.0);
        }
        command.args(["run", "-b", "home/bundle", "-i", "home/identity.txt"]).args(options).arg("--");
        command.arg(interpreter).arg("-B");
        command.stdin(std::fs::File::open(self.lab.expected()).unwrap());
        command
    }

    /// A copy of what these modules import: an interpreter's own may be in a home that is closed to others.
    fn packages(&self, interpreter: &Path, modules: &[&str]) -> PathBuf {
        let packages = self.join("packages");
        if !packages.exists() {
            std::fs::create_dir(&packages).unwrap();
            let mut copy = Command::new(interpreter);
            copy.arg("-B").arg(scripts().join("copy_packages.py")).arg(&packages).args(modules);
            said(&mut copy).succeeded();
            self.give();
        }
        packages
    }

    /// A copy of one of the scripts that are beside this file, with what it imports.
    pub(crate) fn script(&self, script: &str) -> PathBuf {
        std::fs::create_dir_all(self.join("scripts")).unwrap();
        for name in [script, "documents.py", "safe_import.py", "strict.py"] {
            std::fs::copy(scripts().join(name), self.join("scripts").join(name)).unwrap();
        }
        self.give();
        self.join("scripts").join(script)
    }

    /// Opens the bundle into `opened/`: what is sealed by Debian's age, the rest as it is.
    pub(crate) fn open_by_age(&self) -> PathBuf {
        let opened = self.join("opened");
        for entry in std::fs::read_dir(self.bundle()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if let Some(plain) = name.strip_suffix(".age") {
                let mut age = self.command("age");
                let text = said(age.args(["-d", "-i", "identity.txt"]).arg(&path)).succeeded();
                std::fs::write(opened.join(plain), text).unwrap();
            } else {
                std::fs::copy(&path, opened.join(name)).unwrap();
            }
        }
        opened
    }

    /// Fails when a secret of the plan is in clear in anything that this user has, or was told.
    #[track_caller]
    pub(crate) fn has_no_secret_in_clear(&self, told: &str) {
        assert_eq!(self.secrets_in_clear(told), None);
    }

    /// Which secrets of the plan, by number, are in clear in what this user has or was told.
    pub(crate) fn secrets_in_clear(&self, told: &str) -> Option<String> {
        std::fs::write(self.join("heard/words"), told).unwrap();
        let places = ["home", "tmp", "runtime", "heard"].map(|place| self.join(place));
        let searched = [self.lab.expected()].into_iter().chain(places).chain(self.memory.searched());
        let search = self.lab.python("find_secrets.py", searched);
        (search.code != 0).then(|| search.out + &search.err)
    }

    /// The files in which a secret of the plan is in clear.
    pub(crate) fn files_in_clear(&self, told: &str) -> Vec<PathBuf> {
        let found = self.secrets_in_clear(told).unwrap_or_default();
        let files = found.lines().filter_map(|line| line.split(": ").next()).map(PathBuf::from);
        let mut files: Vec<PathBuf> = files.collect();
        files.sort();
        files
    }

    /// Where the files of `--delivery file` are.
    pub(crate) fn memory(&self) -> &Path {
        &self.memory.0
    }

    /// What is at home, and what was left in the two directories for passing things.
    pub(crate) fn names(&self) -> Vec<String> {
        let list = |place: &'static str| {
            let entries = std::fs::read_dir(self.join(place)).unwrap();
            entries.map(move |entry| format!("{place}/{}", entry.unwrap().file_name().display()))
        };
        let mut names: Vec<String> = ["home", "tmp", "runtime"].into_iter().flat_map(list).collect();
        names.sort();
        names
    }

    pub(crate) fn variables(&self, profile: &str) -> BTreeMap<String, String> {
        let variables = self.lab.variables(profile).into_iter();
        variables.map(|(name, value)| (name, self.with_own_ca(&value))).collect()
    }

    /// The lab's directory is closed to other users, so each has a copy of the CA's certificate.
    fn with_own_ca(&self, text: &str) -> String {
        let (theirs, own) = (self.lab.join("tls/ca.crt"), self.join("home/ca.crt"));
        text.replace(theirs.to_str().unwrap(), own.to_str().unwrap())
    }

    /// Makes all of it the user's.
    pub(crate) fn give(&self) {
        if self.is_nobody {
            let mut chown = Command::new("chown");
            chown.args(["-R", "65534:65534"]).arg(self.scratch.path()).arg(&self.memory.0);
            said(&mut chown).succeeded();
        }
    }
}
