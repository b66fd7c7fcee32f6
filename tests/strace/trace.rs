//! strace's lines: one file a process, all strings in hexadecimal, descriptors with what they lead to.

/// Calls that only bring data in. All others are watched, so that none can be forgotten.
pub(super) const INCOMING: &str = "\
    read,readv,pread64,preadv,preadv2,recvfrom,recvmsg,recvmmsg,getrandom,clock_nanosleep,futex,rt_sigprocmask,\
    madvise,brk";

/// One system call.
#[derive(Debug)]
pub struct Call {
    pub name: String,
    /// The descriptor in the first argument, and what it leads to.
    pub descriptor: Option<(i32, String)>,
    /// All strings among the arguments, in order: paths, bytes to write, arguments and environment.
    pub strings: Vec<Vec<u8>>,
    /// The arguments as strace writes them.
    pub text: String,
    /// What it returned, with what a descriptor leads to.
    pub result: String,
}

impl Call {
    pub fn succeeded(&self) -> bool {
        self.result.starts_with(|first: char| first.is_ascii_digit())
    }

    /// What the descriptor that it returned leads to.
    pub fn opened(&self) -> Option<String> {
        descriptor(&self.result).map(|(_, target)| target)
    }
}

pub(super) fn parse(text: &str) -> Vec<Call> {
    text.lines().filter(|line| !line.starts_with("+++") && !line.starts_with("---")).map(call).collect()
}

fn call(line: &str) -> Call {
    let (name, rest) = line.split_once('(').unwrap_or_else(|| panic!("not a call: {line}"));
    // A call that never returned (exit, a kill) has no result
    let (arguments, result) = rest.rsplit_once(" = ").unwrap_or((rest, "?"));
    assert!(!arguments.contains("\"..."), "strace has cut a string: {name}");
    let parts: Vec<&str> = arguments.split('"').collect();
    Call {
        name: name.to_owned(),
        descriptor: descriptor(arguments),
        strings: parts.iter().skip(1).step_by(2).map(|text| unescape(text)).collect(),
        text: parts.iter().step_by(2).copied().collect::<Vec<_>>().join("\"\""),
        result: result.to_owned(),
    }
}

/// `3<what it leads to>`, up to the next argument.
fn descriptor(text: &str) -> Option<(i32, String)> {
    let (number, rest) = text.split_once('<')?;
    let end = rest
        .find(", ")
        .or_else(|| rest.rfind(')').filter(|_| !rest.ends_with("(deleted)")))
        .unwrap_or(rest.len());
    let target = String::from_utf8_lossy(&unescape(rest[..end].trim_end())).into_owned();
    Some((number.parse().ok()?, target.replacen('>', "", usize::from(!target.contains("->")))))
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if let [b'\\', b'x', high, low, after @ ..] = rest {
            let digits = [*high, *low];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    bytes
}
