//! The whole story with a real plan: two sites, one is taken out, what it knew is rotated in Swift, and all is well again.

#![allow(clippy::disallowed_methods, clippy::indexing_slicing, reason = "a test may panic, and writes files")]

use serde_json::Value;

use crate::operator::{Operator, User};
use crate::program::refusal::after_the_way;
use crate::program::{Said, Scratch, said};
use crate::running::Lab;

/// A plan and a stack that are this test's alone, until it is dropped.
struct OwnPlan {
    name: String,
    lab: Lab,
}

impl OwnPlan {
    fn create() -> Self {
        // A name that nobody else takes: that of a directory that is there only once
        let unique = Scratch::bare();
        let name = unique.path().file_name().unwrap().to_str().unwrap().to_owned();
        let plan = Self { name, lab: Lab::running() };
        let expected = plan.lab.expected().to_str().unwrap().to_owned();
        plan.does(&["create", &plan.name, &expected]);
        plan
    }

    fn does(&self, arguments: &[&str]) {
        self.lab.python("own_plan.py", arguments).succeeded();
    }

    fn rotate(&self, names: &[&str]) {
        self.does(&[&["rotate", self.name.as_str()], names].concat());
    }
}

impl Drop for OwnPlan {
    fn drop(&mut self) {
        let _ = self.lab.python("own_plan.py", ["delete", &self.name]);
    }
}

struct Centre {
    operator: Operator,
    plan: OwnPlan,
}

impl Centre {
    fn run(&self, arguments: &[&str]) -> Said {
        said(self.operator.program().args(arguments))
    }

    /// A verb that asks the cloud; again when the lab's Keystone was too busy.
    fn asks(&self, verb: &str) -> Said {
        let words = [verb, "--os-cloud", "admin-tls", "--stack", &self.plan.name];
        let first = self.run(&words);
        let is_busy = after_the_way(&first.err).starts_with("error: Keystone answered with status 500\n");
        if is_busy { self.run(&words) } else { first }
    }

    fn manifest(&self) -> Value {
        serde_json::from_str(&self.run(&["show", "--json"]).succeeded()).unwrap()
    }

    /// The passwords as this identity opens them are those of the plan.
    fn opens(&self, identity: &str) -> Said {
        let opened = self.run(&["decrypt", "-i", identity]);
        if opened.code == 0 {
            let path = self.operator.join("opened/passwords.yaml");
            std::fs::write(&path, &opened.out).unwrap();
            self.plan.does(&["check", &self.plan.name, path.to_str().unwrap()]);
        }
        opened
    }
}

#[test]
#[ignore = "needs the OpenStack lab: run tests/all"]
fn a_site_is_taken_out_and_all_that_it_knew_is_rotated_in_swift() {
    let centre = Centre { operator: Operator::new(User::Own), plan: OwnPlan::create() };
    centre.run(&["init"]).succeeded();
    centre.run(&["site", "add", "operators", &centre.operator.recipient]).succeeded();
    let edge = centre.run(&["keygen", "-o", "edge.txt"]).succeeded();
    centre.run(&["site", "add", "edge", edge.trim(), "--role", "DistributedCompute"]).succeeded();
    let settings = centre.operator.home().join("dcn-vault.yaml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let role = "role: DistributedCompute";
    std::fs::write(&settings, text.replace(role, &format!("{role}, release: train"))).unwrap();

    let mut told = centre.asks("pull").succeeded_with_words();
    told += &centre.run(&["check", "-i", "identity.txt"]).succeeded();
    told += &centre.run(&["check", "-i", "edge.txt"]).succeeded();
    centre.opens("identity.txt").succeeded();
    let all = centre.manifest()["secrets"].as_array().unwrap().len();

    let removed = centre.run(&["site", "remove", "edge", "-i", "identity.txt"]);
    assert_eq!(removed.code, 0, "{}", removed.err);
    let owed: Vec<&str> = removed.out.lines().filter_map(|line| line.strip_prefix("  rotate  ")).collect();
    assert!(owed.contains(&"NovaPassword") && owed.contains(&"RpcPassword"), "{owed:?}");
    assert!(owed.len() < all / 2, "{owed:?}");
    let checked = centre.run(&["check"]);
    let line =
        format!("finding  rotation      a key of edge opened {} secrets before generation 2", owed.len());
    assert!(checked.code == 3 && checked.out.contains(&line), "{}", checked.out);
    assert_eq!(centre.run(&["decrypt", "-i", "edge.txt"]).code, 1);

    // One of them is forgotten at first, and named
    let (forgotten, others) = owed.split_first().unwrap();
    centre.plan.rotate(others);
    let differs = centre.asks("diff");
    let names: Vec<&str> = differs.out.lines().filter_map(|line| line.strip_prefix("~ ")).collect();
    assert!(differs.code == 3 && others.iter().all(|name| names.contains(name)), "{names:?}");
    told += &centre.asks("pull").succeeded_with_words();
    let checked = centre.run(&["check"]);
    let line =
        format!("a key of edge opened 1 secret before generation 2, and not since: rotate {forgotten}\n");
    assert!(checked.code == 3 && checked.out.contains(&line), "{}", checked.out);
    centre.plan.rotate(&[forgotten]);
    told += &centre.asks("pull").succeeded_with_words();

    told += &centre.run(&["check", "-i", "identity.txt"]).succeeded();
    assert_eq!((centre.asks("diff").code, centre.run(&["decrypt", "-i", "edge.txt"]).code), (0, 1));
    centre.opens("identity.txt").succeeded();
    let since = |name: &str, secrets: &Value| {
        let entry = secrets.as_array().unwrap().iter().find(|secret| secret["name"] == name);
        entry.and_then(|secret| secret["since"].as_u64())
    };
    let manifest = centre.manifest();
    let secrets = &manifest["secrets"];
    assert!(others.iter().all(|name| since(name, secrets) == Some(3)), "{secrets:#}");
    assert_eq!((since(forgotten, secrets), since("MysqlRootPassword", secrets)), (Some(4), Some(1)));
    let excepted = removed.out.lines().filter_map(|line| line.strip_prefix("  except  ")?.split(':').next());
    assert_eq!(manifest["bill"][0]["secrets"], excepted.collect::<Value>());
    assert_eq!(manifest["generation"], 4);
    centre.operator.has_no_secret_in_clear(&told);
}
