use std::path::Path;

use crate::fs;

/// None of these files is longer, but a list of users may be.
const LIMIT: usize = 1024 * 1024;
/// The kernel's way to say that nobody has logged in.
const NOBODY: u32 = u32::MAX;
/// How a unit that has processes is called.
const UNITS: [&str; 5] = ["service", "scope", "socket", "mount", "swap"];

/// On whose behalf this process runs, as the kernel tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "it is made by naming its parts")]
pub struct Who {
    /// The user who has logged in, by name.
    pub user: Option<String>,
    /// The user as whom we run.
    pub uid: u32,
    /// The user who has logged in, where the kernel knows it and it is another.
    pub login_uid: Option<u32>,
    /// The terminal.
    pub tty: Option<String>,
    /// The systemd unit.
    pub unit: Option<String>,
}

impl Who {
    /// Looks at this process. It **must** be asked before a namespace of users is entered, in which the kernel counts anew. `sudo_user` is
    /// who `sudo` says that it was called by: it is believed where the kernel does not know better, and only when we are root, who can
    /// say what he likes.
    #[must_use]
    pub fn here(sudo_user: Option<&str>) -> Self {
        let uid = rustix::process::getuid().as_raw();
        let login = read("/proc/self/loginuid").and_then(|text| text.trim().parse().ok());
        let login_uid = login.filter(|login: &u32| *login != NOBODY && *login != uid);
        let users = read("/etc/passwd").unwrap_or_default();
        let named = |name: &&str| uid == 0 && login_uid.is_none() && !name.is_empty();
        let user = sudo_user.filter(named).or_else(|| name_in(&users, login_uid.unwrap_or(uid)));
        Self {
            user: user.map(str::to_owned),
            uid,
            login_uid,
            tty: read("/proc/self/stat").and_then(|stat| tty_in(&stat)),
            unit: read("/proc/self/cgroup").and_then(|groups| unit_of(&groups)),
        }
    }
}

/// The system's unit in `groups`, which is the text of `/proc/PID/cgroup`. What a user's own manager has started belongs to
/// `user@UID.service`, and what a service has started to that service: below its own unit everybody can call things as he likes.
#[must_use]
pub fn unit_of(groups: &str) -> Option<String> {
    let paths = |wanted: &'static str| {
        groups.lines().find_map(move |line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            (controllers == wanted).then_some(path)
        })
    };
    // Where both are there, systemd keeps its own hierarchy
    let path = paths("name=systemd").or_else(|| paths(""))?;
    let unit = path.strip_prefix('/')?.split('/').find(|part| kind_of(part) != Some("slice"))?;
    // systemd puts a mark before a name that the kernel would take for a file of its own
    let unit = unit.strip_prefix('_').unwrap_or(unit);
    UNITS.contains(&kind_of(unit)?).then(|| unit.to_owned())
}

fn kind_of(unit: &str) -> Option<&str> {
    unit.rsplit_once('.').filter(|(name, _)| !name.is_empty()).map(|(_, kind)| kind)
}

fn read(path: &str) -> Option<String> {
    String::from_utf8(fs::read_capped(Path::new(path), LIMIT).ok()?).ok()
}

fn name_in(users: &str, uid: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

/// The terminal in `stat`, which is the text of `/proc/self/stat` (proc(5): field 7, a device's number).
fn tty_in(stat: &str) -> Option<String> {
    // The second field is the program's name, which may hold anything
    let (_, rest) = stat.rsplit_once(") ")?;
    let device: u32 = rest.split(' ').nth(4)?.parse().ok()?;
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xf_ff00));
    // The kernel's devices.txt
    match (major, minor) {
        (4, 0..=63) => Some(format!("tty{minor}")),
        (4, _) => Some(format!("ttyS{}", minor - 64)),
        (136..=143, _) => Some(format!("pts/{}", (major - 136) * 256 + minor)),
        (0, 0) => None,
        _ => Some(format!("{major}:{minor}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_the_systems_own_whatever_is_called_so_below_it() {
        for (groups, unit) in [
            ("0::/system.slice/dcn-vault.service\n", Some("dcn-vault.service")),
            ("0::/system.slice/system-getty.slice/getty@tty1.service\n", Some("getty@tty1.service")),
            ("0::/user.slice/user-1000.slice/session-3.scope\n", Some("session-3.scope")),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/nova.service\n",
                Some("user@1000.service"),
            ),
            ("0::/system.slice/docker.service/nova.service\n", Some("docker.service")),
            ("0::/system.slice/_cpu.service\n", Some("cpu.service")),
            ("4:cpu:/x.service\n1:name=systemd:/system.slice/a.service\n0::/\n", Some("a.service")),
            ("1:name=systemd:/\n0::/system.slice/a.service\n", None),
            ("0::/\n", None),
            ("0::/init.scope\n", Some("init.scope")),
            ("0::/../../system.slice/nova.service\n", None),
            ("0::/docker/0123abcd\n", None),
            ("0::/.service\n", None),
            ("", None),
            ("nonsense", None),
        ] {
            assert_eq!(unit_of(groups).as_deref(), unit, "{groups}");
        }
    }

    #[test]
    fn a_terminal_is_called_as_it_is_below_dev() {
        for (device, name) in [
            (0x0000_8803, Some("pts/3")),
            (0x0010_8801, Some("pts/257")),
            (0x0401, Some("tty1")),
            (0x0440, Some("ttyS0")),
            (0x0501, Some("5:1")),
            (0, None),
        ] {
            let stat = format!("42 (a) 7 (b) S 1 2 3 {device} 5 6");
            assert_eq!(tty_in(&stat).as_deref(), name, "{device:x}");
        }
        assert_eq!(tty_in("42 (a"), None);
    }

    #[test]
    fn a_name_is_that_of_the_number() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\n:x:5:5::/:\nstack:x:1000:1000::/home/stack:/bin/bash\nlong\n";
        assert_eq!(
            (name_in(users, 1000), name_in(users, 100), name_in(users, 5)),
            (Some("stack"), None, None)
        );
    }
}
